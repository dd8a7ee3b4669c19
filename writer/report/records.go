package report

// kind is how often a kind of finding or a reason of rejection occurred.
type kind struct{ Name, Meaning, Count string }

func kinds(counts []Count, meaning func(string) string) []kind {
	var list []kind
	for _, c := range counts {
		list = append(list, kind{c.Name, meaning(c.Name), count(c.N)})
	}
	return list
}

// findings are the first rows, masked.
func findings(d *Data) (rows []Finding, more string) {
	rows = append(rows, d.FindingRows[:min(len(d.FindingRows), findingsMax)]...)
	for i := range rows {
		f := &rows[i]
		f.Contact, f.Message, f.Detail = mask(f.Contact), mask(f.Message), maskDigits(f.Detail)
	}
	return rows, left(int(total(d.Findings)), len(rows))
}

// reject is one rejected row, ready to show.
type reject struct{ File, Row, Reason, Detail string }

func rejects(d *Data) (rows []reject, more string) {
	for _, r := range d.RejectRows[:min(len(d.RejectRows), rejectsMax)] {
		rows = append(rows, reject{r.File, count(r.Row), r.Reason, r.Detail})
	}
	return rows, left(int(total(d.Rejects)), len(rows))
}

// entry is one file read or written.
type entry struct{ Kind, Name, Rows, Size, Hash string }

func inputs(d *Data) (rows []entry, more string) {
	for _, in := range d.Inputs[:min(len(d.Inputs), inputsMax)] {
		rows = append(rows, entry{in.Kind, in.Key, count(in.Rows), fileSize(in.Size), in.Identity})
	}
	return rows, left(len(d.Inputs), inputsMax)
}

func files(d *Data) []entry {
	var rows []entry
	for _, f := range d.Files {
		rows = append(rows, entry{"", f.Name, count(f.Rows), fileSize(f.Bytes), f.SHA256})
	}
	return rows
}
