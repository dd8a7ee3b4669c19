package batch

import (
	"encoding/csv"
	"slices"
	"strconv"
	"strings"

	"pgregory.net/rapid"
)

// What the program has written, as the books have it: of the CSV files, which
// need nothing of the program to be read.

// statementSheet is the statements of a month's run.
func statementSheet(rt *rapid.T, text, month string) sheet {
	s := sheet{}
	for _, row := range csvRows(rt, text) {
		of := month
		if adjusted := row.text("adjusted_period"); adjusted != "" {
			of = adjusted
		}
		line := sheetLine{row.text("account_id"), of, row.text("currency"), row.percent("vat_rate")}
		s.count(line.account, of, row.whole("charges"), row.whole("unrated"))
		if row.millionths("gross_amount") != row.millionths("net_amount")+row.millionths("vat_amount") {
			rt.Fatalf("a statement of %s that does not add up: %s", month, row.cells)
		}
		s.money(line, row.millionths("net_amount"), row.millionths("vat_amount"))
	}
	return s
}

// adjustmentSheet is the adjustments of a run of a closed month.
func adjustmentSheet(rt *rapid.T, text, month string) (s sheet, rows int) {
	s = sheet{}
	for _, row := range csvRows(rt, text) {
		sign := map[string]int64{"reversal": -1, "replacement": 1}[row.text("kind")]
		line := sheetLine{row.text("account_id"), month, row.text("currency"), row.percent("vat_rate")}
		if row.text("status") == "unrated" {
			s.count(line.account, month, sign, sign)
		} else {
			s.count(line.account, month, sign, 0)
		}
		net := row.millionths("amount")
		s.money(line, net, net*max(line.vat, 0)/100)
		rows++
	}
	return s, rows
}

// csvRow is a row of a CSV file with the names of its columns.
type csvRow struct {
	rt           *rapid.T
	names, cells []string
}

func csvRows(rt *rapid.T, text string) []csvRow {
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(lines) == 0 {
		rt.Fatalf("%d lines: %v", len(lines), err)
	}
	var rows []csvRow
	for _, cells := range lines[1:] {
		rows = append(rows, csvRow{rt, lines[0], cells})
	}
	return rows
}

func (r csvRow) text(column string) string {
	i := slices.Index(r.names, column)
	if i < 0 {
		r.rt.Fatalf("no column %s in %s", column, r.names)
	}
	return r.cells[i]
}

func (r csvRow) whole(column string) int64 {
	n, err := strconv.ParseInt(r.text(column), 10, 64)
	if err != nil {
		r.rt.Fatal(err)
	}
	return n
}

// millionths is an amount of at most six decimals; nothing is 0.
func (r csvRow) millionths(column string) int64 {
	text := r.text(column)
	if text == "" {
		return 0
	}
	whole, decimals, _ := strings.Cut(text, ".")
	missing := len("000000") - len(decimals)
	if missing < 0 {
		r.rt.Fatalf("%s is %q", column, text)
	}
	n, err := strconv.ParseInt(whole+decimals+strings.Repeat("0", missing), 10, 64)
	if err != nil {
		r.rt.Fatalf("%s is %q", column, text)
	}
	return n
}

func (r csvRow) percent(column string) int64 {
	if r.text(column) == "" {
		return absent
	}
	return r.millionths(column) / 10_000
}
