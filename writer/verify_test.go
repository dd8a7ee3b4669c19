package writer

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"waconcile/reconcile"

	"github.com/shopspring/decimal"
)

// parts is a run in memory, to be damaged before it is published.
type parts struct {
	charges map[string]*Frame // by name
	tables  map[string]*Frame // by table
	entries map[string]*FileEntry
	store   *fakeStore
	m       *Manifest
}

// order sorts rows of charges by the key of their table.
func order(f Frame) Frame {
	c := columnsOfCharges(&f)
	rows := make([]int, f.Rows)
	for i := range rows {
		rows[i] = i
	}
	key := func(i int) chargeOrder {
		return chargeOrder{c.account.Text[i], c.business.Text[i], c.contact.Text[i], c.openedAt.Int[i], c.category.Text[i]}
	}
	slices.SortFunc(rows, func(i, j int) int { a, b := key(i), key(j); return a.compare(&b) })
	out := Frame{Columns: make([]Column, len(f.Columns))}
	for _, i := range rows {
		out.appendRow(f.slice(i, i+1))
	}
	return out
}

func (f *Frame) appendRow(row Frame) {
	for i := range f.Columns {
		to, from := &f.Columns[i], &row.Columns[i]
		to.Text = append(to.Text, from.Text...)
		to.Int = append(to.Int, from.Int...)
		to.Micros = append(to.Micros, from.Micros...)
		to.Wide = append(to.Wide, from.Wide...)
		to.Null = append(to.Null, from.Null...)
	}
	f.Rows += row.Rows
}

func at(f *Frame, s Schema, column string) *Column { return &f.Columns[s.index(column)] }

// aRun makes the tables of a run: charges of two days in three files, some
// free, some unrated, some prepaid, and what follows from them.
func aRun() *parts { return aRunOf(300) }

// aRunOf has so many charges in each file.
func aRunOf(rows int) *parts {
	p := &parts{charges: map[string]*Frame{}, tables: map[string]*Frame{}, entries: map[string]*FileEntry{}}
	s := ChargesSchema()
	for i, name := range []string{"charges/2024-07-03/00.parquet", "charges/2024-07-03/01.parquet", "charges/2024-07-04/00.parquet"} {
		f := chargeFrame(rows, uint64(i))
		at(&f, s, "plan").Null = make([]bool, f.Rows)
		for _, nullable := range []string{"amount", "unit_price", "currency"} {
			at(&f, s, nullable).Null = make([]bool, f.Rows)
		}
		recharge := at(&f, s, "recharge_id")
		for row := range f.Rows {
			if i == 2 {
				at(&f, s, "billing_date").Int[row]++
			}
			switch row % 10 {
			case 0:
				at(&f, s, "status").Text[row] = "unrated"
				for _, nullable := range []string{"amount", "unit_price", "currency"} {
					at(&f, s, nullable).Null[row] = true
				}
			case 1:
				at(&f, s, "status").Text[row] = "free"
				at(&f, s, "amount").Micros[row] = 0
			case 2:
				recharge.Text[row], recharge.Null[row] = "r1", false
			case 3:
				at(&f, s, "currency").Text[row] = "JPY"
			}
		}
		f = order(f)
		p.charges[name] = &f
	}
	p.derive()
	return p
}

// sums is what the charges come to.
func (p *parts) sums() *chargeSums {
	all := newChargeSums("")
	for name, f := range p.charges {
		one := newChargeSums(name)
		one.add(*f)
		all.merge(one)
	}
	return all
}

// derive makes the other tables from the charges.
func (p *parts) derive() {
	all := p.sums()
	p.tables[SummaryTable] = summaryOf(all)
	p.tables[StatementsTable] = statementsOf(all)
	p.tables[DifferencesTable] = someDifferences(all)
	p.tables[RechargesTable] = rechargesOf(all)
	p.tables[FindingsTable] = &Frame{Rows: 2, Columns: []Column{
		{Text: []string{"outside_window", "outside_window"}}, textColumn("a", ""), textColumn("", ""), textColumn("", ""), textColumn("m1", "m2"),
		{Int: []int64{1, 2}, Null: []bool{false, true}}, textColumn("", "x"),
	}}
	p.tables[RejectsTable] = &Frame{Rows: 1, Columns: []Column{
		{Text: []string{"dt=2024-07-03/a.parquet"}}, {Int: []int64{7}}, {Text: []string{"bad_status"}}, textColumn("status"),
	}}
	m := testManifest()
	m.Files = nil
	m.Counts.Rejected = map[string]int64{"bad_status": 1}
	m.Counts.Findings = map[string]int64{"outside_window": 2}
	m.Counts.Differences = map[string]int64{"price": 1, "outside_period": 1, "missing_theirs": 1}
	m.Counts.Conversations = maps.Clone(all.category)
	m.Totals = nil
	s := StatementsSchema()
	sums := map[string][5]decimal.Decimal{}
	f := p.tables[StatementsTable]
	for i := range f.Rows {
		if currency := at(f, s, "currency").textAt(i); currency != "" {
			t := sums[currency]
			for k, column := range []string{"net_amount", "prepaid_net", "payable_net", "vat_amount", "gross_amount"} {
				t[k] = t[k].Add(at(f, s, column).wideAt(i))
			}
			sums[currency] = t
		}
	}
	for currency, t := range sums {
		m.Totals = append(m.Totals, CurrencyTotals{currency, t[0].String(), t[1].String(), t[2].String(), t[3].String(), t[4].String()})
	}
	more := all.rows - m.Counts.Opened // than the manifest tells of
	m.Counts.Opened, m.Counts.Messages, m.Counts.RowsRead = all.rows, m.Counts.Messages+more, m.Counts.RowsRead+more
	m.Inputs[slices.IndexFunc(m.Inputs, func(in Input) bool { return in.Table == ExportsInput })].Rows += more
	p.m = m
	p.control(all)
}

// control gives the manifest the control totals of a run.
func (p *parts) control(all *chargeSums) {
	v := &verifier{manifest: p.m, ground: &ground{}}
	tables := map[string]*table{}
	for name, f := range p.tables {
		tables[name] = v.newTable(&fileResult{table: name, frames: []Frame{*f}})
	}
	figures := v.recompute(all, tables)
	recomputeDifferences(figures, all, tables[DifferencesTable])
	recomputeCosts(figures, all, tables[SummaryTable])
	recomputeRecharges(figures, all, tables[RechargesTable])
	p.m.Control = nil
	for _, name := range sortedKeys(figures, figures) {
		f := figures[name]
		p.m.Control = append(p.m.Control, ControlTotal{name, f.left.String(), f.right.String(), f.left.Equal(f.right), name})
	}
}

// total is the control total of that name.
func (p *parts) total(name string) *ControlTotal {
	return &p.m.Control[slices.IndexFunc(p.m.Control, func(c ControlTotal) bool { return c.Name == name })]
}

// textColumn has nulls for empty texts.
func textColumn(values ...string) Column {
	c := Column{Text: values, Null: make([]bool, len(values))}
	for i, v := range values {
		c.Null[i] = v == ""
	}
	return c
}

func summaryOf(sums *chargeSums) *Frame {
	f := &Frame{Columns: make([]Column, len(SummarySchema()))}
	for k, g := range sums.summary {
		f.appendRow(Frame{Rows: 1, Columns: []Column{
			{Text: []string{k.account}}, {Int: []int64{k.date}}, textColumn(k.country), textColumn(k.market),
			{Text: []string{k.category}}, {Text: []string{k.unit}}, textColumn(k.plan),
			{Micros: []reconcile.Micros{k.price}, Null: []bool{!k.priced}}, textColumn(k.currency), {Text: []string{k.status}},
			{Int: []int64{g.quantity}}, {Wide: []decimal.Decimal{g.net.sum()}, Null: []bool{false}},
		}})
	}
	return f
}

// statementsOf are at a VAT rate of 0.22, on what is payable.
func statementsOf(sums *chargeSums) *Frame {
	f := &Frame{Columns: make([]Column, len(StatementsSchema()))}
	for k, o := range sums.owed {
		minor, _ := reconcile.MinorUnits(k.currency)
		payable, prepaid := o.payable.sum().Round(minor), o.prepaid.sum().Round(minor)
		vat := payable.Mul(wide("0.22")).Round(minor)
		row := []Column{
			{Text: []string{k.account}}, textColumn(k.currency), {Micros: []reconcile.Micros{220_000}, Null: []bool{false}},
			{Int: []int64{o.charges}},
		}
		for _, v := range []decimal.Decimal{payable.Add(prepaid), prepaid, payable, vat, payable.Add(vat)} {
			row = append(row, Column{Wide: []decimal.Decimal{v}, Null: []bool{false}})
		}
		row = append(row, Column{Int: []int64{o.unrated}}, textColumn(k.adjusted), Column{Text: []string{"2024-07"}}, textColumn(""))
		f.appendRow(Frame{Rows: 1, Columns: row})
	}
	return f
}

// someDifferences are, of one account, a wrong price in euros, charges in yen
// and francs that no line covers, and a line outside the period.
func someDifferences(sums *chargeSums) *Frame {
	const account = "account-00"
	type side struct {
		quantity int64
		amount   decimal.Decimal
	}
	ours := map[string]side{}
	for k, g := range sums.summary {
		if k.account == account && k.status == statusCharged {
			s := ours[k.currency]
			ours[k.currency] = side{s.quantity + g.quantity, s.amount.Add(g.net.sum())}
		}
	}
	f := &Frame{Columns: make([]Column, len(DifferencesSchema()))}
	add := func(class, currency string, theirs, price, arithmetic, rounding decimal.Decimal) {
		o := ours[currency]
		figure := func(d decimal.Decimal) Column {
			return Column{Wide: []decimal.Decimal{d}, Null: []bool{class == "outside_period"}}
		}
		f.appendRow(Frame{Rows: 1, Columns: []Column{
			textColumn("i1"), textColumn("l1 l2"), {Text: []string{account}}, textColumn(""), {Int: []int64{19905}}, {Int: []int64{19935}},
			textColumn("IT"), textColumn("service"), figure(decimal.NewFromInt(o.quantity)), figure(decimal.NewFromInt(o.quantity)),
			figure(o.amount), figure(theirs), textColumn(currency), figure(theirs.Sub(o.amount)),
			figure(decimal.Zero), figure(price), figure(arithmetic), figure(rounding), {Text: []string{class}}, textColumn("x"),
		}})
	}
	add("price", "EUR", ours["EUR"].amount.Add(wide("0.11")), wide("0.1"), decimal.Zero, wide("0.01"))
	add("missing_theirs", "JPY", decimal.Zero, ours["JPY"].amount.Neg(), decimal.Zero, decimal.Zero)
	if francs, there := ours["CHF"]; there {
		add("missing_theirs", "CHF", decimal.Zero, francs.amount.Neg(), decimal.Zero, decimal.Zero)
	}
	add("outside_period", "EUR", decimal.Zero, decimal.Zero, decimal.Zero, decimal.Zero)
	return f
}

// write writes the tables. Between it and seal files and entries can be
// damaged.
func (p *parts) write(t *testing.T) {
	t.Helper()
	p.store = newFakeStore()
	keep := func(e FileEntry, err error) {
		if err != nil {
			t.Fatal(err)
		}
		p.entries[e.Name] = &e
	}
	for name, f := range p.charges {
		keep(WriteParquet(t.Context(), p.store, testRun+name, p.m.ChargesSchema(), cut(*f, 100)))
	}
	for name, f := range p.tables {
		_, s, _ := p.m.SchemaOf(name + parquetExt)
		keep(WriteParquet(t.Context(), p.store, testRun+name+parquetExt, s, cut(*f, 10)))
		keep(WriteCSV(t.Context(), p.store, testRun+name+csvExt, s, cut(*f, 10)))
	}
	keep(WriteFile(t.Context(), p.store, testRun+"report.html", []byte("<!doctype html>")))
}

// seal writes the manifest and the pointer as they are, right or wrong.
func (p *parts) seal(t *testing.T) {
	t.Helper()
	p.m.Files = nil
	for _, e := range p.entries {
		p.m.Files = append(p.m.Files, *e)
	}
	data, err := p.m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	p.store.set(testRun+manifestName, data)
	pointer := Pointer{Run: testRun, ManifestSHA256: sha256Hex(data)}
	line, err := pointer.encode()
	if err != nil {
		t.Fatal(err)
	}
	p.store.set("current/2024-07.json", line)
}

// rehash makes the entry of a file agree with its bytes.
func (p *parts) rehash(name string) {
	data := p.store.objects[testRun+name]
	p.entries[name].Bytes, p.entries[name].SHA256 = int64(len(data)), sha256Hex(data)
}

type damage struct {
	name    string
	check   string
	tables  func(*parts) // before the tables are written
	written func(*parts) // after
	sealed  func(*parts) // after manifest and pointer
}

// damagedTotals is each control total of a run that did not hold.
func damagedTotals() (all []damage) {
	for _, c := range aRun().m.Control {
		all = append(all, damage{name: "control total " + c.Name, check: "control total " + c.Name, written: func(p *parts) {
			p.total(c.Name).Left, p.total(c.Name).OK = "-1", false
		}})
	}
	return all
}

// damages are what is done to a run, and the check that must notice first.
var damages = []damage{
	{name: "flip a byte", check: "bytes", sealed: func(p *parts) { p.store.objects[testRun+firstFile][200] ^= 1 }},
	{name: "cut a file", check: "bytes", sealed: func(p *parts) {
		p.store.objects[testRun+"summary.parquet"] = p.store.objects[testRun+"summary.parquet"][:100]
	}},
	{name: "swap two files", check: "bytes", sealed: func(p *parts) {
		o := p.store.objects
		o[testRun+firstFile], o[testRun+secondFile] = o[testRun+secondFile], o[testRun+firstFile]
	}},
	{name: "swap two files with their hashes", check: "content", written: func(p *parts) {
		o := p.store.objects
		o[testRun+firstFile], o[testRun+secondFile] = o[testRun+secondFile], o[testRun+firstFile]
		p.rehash(firstFile)
		p.rehash(secondFile)
	}},
	{name: "lose a file", check: "bytes", sealed: func(p *parts) { delete(p.store.objects, testRun+"report.html") }},
	{name: "edit the manifest", check: "pointer", sealed: func(p *parts) { p.replace(testRun+manifestName, `"inbound": 40`, `"inbound": 41`) }},
	{name: "flip a byte of the pointer", check: "pointer", sealed: func(p *parts) { p.replace("current/2024-07.json", "previous", "prevjous") }},
	{name: "figure of a file", check: "content", written: func(p *parts) { p.entries[firstFile].Totals["amount"] = "1.000000" }},
	{name: "rows of a file", check: "content", written: func(p *parts) { p.entries[firstFile].Rows++ }},
	{name: "one total more", check: "content", written: func(p *parts) { p.entries[firstFile].Totals["contact"] = "1" }},
	{name: "another schema", check: "content", written: func(p *parts) {
		p.store.objects[testRun+firstFile] = p.store.objects[testRun+"summary.parquet"]
		p.rehash(firstFile)
	}},
	{name: "cut with its hash", check: "content", written: func(p *parts) {
		p.store.objects[testRun+firstFile] = p.store.objects[testRun+firstFile][:500]
		p.rehash(firstFile)
	}},
	{name: "a table that is none", check: "table", written: func(p *parts) {
		e := *p.entries[firstFile]
		e.Name = "extra.parquet"
		p.entries[e.Name] = &e
		p.store.objects[testRun+e.Name] = p.store.objects[testRun+firstFile]
	}},
	{name: "rows of the report", check: "table", written: func(p *parts) { p.entries["report.html"].Rows++ }},
	{name: "no findings", check: "csv", written: func(p *parts) { delete(p.entries, "findings.parquet") }},
	{name: "no rejects", check: "tables", written: func(p *parts) {
		delete(p.entries, "rejects.parquet")
		delete(p.entries, "rejects.csv")
	}},
	{name: "drop a row", check: "summary quantity", tables: func(p *parts) { *p.charges[secondFile] = p.charges[secondFile].slice(0, 299) }},
	{name: "change a price", check: "summary net", tables: func(p *parts) { p.reprice(firstFile, 1) }},
	{name: "change two prices", check: "summary rows", tables: func(p *parts) {
		p.reprice(firstFile, 5)
		p.reprice(secondFile, -5)
	}},
	{name: "change an amount", check: "order", tables: func(p *parts) { p.amounts(firstFile)[charged(p)]++ }},
	{name: "change a unit price", check: "order", tables: func(p *parts) {
		at(p.charges[firstFile], ChargesSchema(), "unit_price").Micros[charged(p)]++
	}},
	{name: "drop a row, also from the summary", check: "statement charges", tables: func(p *parts) {
		*p.charges[secondFile] = p.charges[secondFile].slice(0, 299)
		p.tables[SummaryTable] = summaryOf(p.sums())
	}},
	{name: "change a price, also in the summary", check: "statement amounts", tables: func(p *parts) {
		p.reprice(firstFile, 5_000_000)
		p.tables[SummaryTable] = summaryOf(p.sums())
	}},
	{name: "change a price, also in summary and statements", check: "our side of the differences", tables: func(p *parts) {
		p.reprice(firstFile, 5_000_000)
		p.tables[SummaryTable] = summaryOf(p.sums())
		p.tables[StatementsTable] = statementsOf(p.sums())
	}},
	{name: "drop a row, also from summary, statements and differences", check: "conversations by category", tables: func(p *parts) {
		*p.charges[secondFile] = p.charges[secondFile].slice(0, 299)
		p.tables[SummaryTable] = summaryOf(p.sums())
		p.tables[StatementsTable] = statementsOf(p.sums())
		p.tables[DifferencesTable] = someDifferences(p.sums())
	}},
	{name: "row out of order", check: "order", tables: func(p *parts) {
		f := p.charges[firstFile]
		moved := f.slice(1, 2)
		moved.appendRow(f.slice(0, 1))
		moved.appendRow(f.slice(2, f.Rows))
		*f = moved
	}},
	{name: "charge twice", check: "order", tables: func(p *parts) {
		ids := at(p.charges[firstFile], ChargesSchema(), "charge_id").Text
		ids[7] = ids[6]
	}},
	{name: "billing date of another day", check: "order", tables: func(p *parts) { at(p.charges[firstFile], ChargesSchema(), "billing_date").Int[3]++ }},
	{name: "free with an amount", check: "order", tables: func(p *parts) {
		c := at(p.charges[firstFile], ChargesSchema(), "status").Text
		p.amounts(firstFile)[slices.Index(c, "free")] = 1
	}},
	{name: "unknown status", check: "charges by status", tables: func(p *parts) {
		at(p.charges[firstFile], ChargesSchema(), "status").Text[charged(p)] = "paid"
	}},
	{name: "edit a CSV", check: "csv", written: func(p *parts) {
		p.replace(testRun+"summary.csv", "2024-07-03", "2024-07-02")
		p.rehash("summary.csv")
	}},
	{name: "statement VAT", check: "statement rows", tables: func(p *parts) {
		at(p.tables[StatementsTable], StatementsSchema(), "vat_amount").Wide[0] = wide("0.03")
	}},
	{name: "statement charges", check: "statement charges", tables: func(p *parts) {
		at(p.tables[StatementsTable], StatementsSchema(), "charges").Int[0]++
	}},
	{name: "a cent moves from payable to prepaid", check: "statement amounts", tables: func(p *parts) {
		s := StatementsSchema()
		f := p.tables[StatementsTable]
		i := slices.Index(at(f, s, "currency").Text, "EUR")
		cent := wide("0.01")
		payable := at(f, s, "payable_net").Wide[i].Sub(cent)
		vat := payable.Mul(wide("0.22")).Round(2)
		at(f, s, "payable_net").Wide[i] = payable
		at(f, s, "prepaid_net").Wide[i] = at(f, s, "prepaid_net").Wide[i].Add(cent)
		at(f, s, "vat_amount").Wide[i] = vat
		at(f, s, "gross_amount").Wide[i] = payable.Add(vat)
	}},
	{name: "effects do not add up", check: "differences", tables: func(p *parts) {
		at(p.tables[DifferencesTable], DifferencesSchema(), "price_effect").Wide[0] = wide("0.09")
	}},
	{name: "a difference without figures", check: "differences", tables: func(p *parts) {
		at(p.tables[DifferencesTable], DifferencesSchema(), "our_amount").Null[0] = true
	}},
	{name: "a row of the differences is lost", check: "our side of the differences", tables: func(p *parts) {
		f := p.tables[DifferencesTable]
		*f = f.slice(0, 1)
		p.m.Counts.Differences = map[string]int64{"price": 1}
	}},
	{name: "our quantity", check: "our side of the differences", tables: func(p *parts) {
		at(p.tables[DifferencesTable], DifferencesSchema(), "our_quantity").Wide[0] = wide("1")
	}},
	{name: "control total", check: "control total charges", written: func(p *parts) {
		p.total("charges").Left, p.total("charges").OK = "6", false
	}},
	{name: "control figures", check: "control figures", written: func(p *parts) {
		p.total("summary_net").Left, p.total("summary_net").Right = "1", "1"
	}},
	{name: "a control total is missing", check: "control figures", written: func(p *parts) {
		p.m.Control = slices.DeleteFunc(p.m.Control, func(c ControlTotal) bool { return c.Name == "opened" })
	}},
	{name: "a control total of no run", check: "control figures", written: func(p *parts) { p.total("files").Name = "file" }},
	{name: "messages of a kind", check: "control figures", written: func(p *parts) { p.m.Counts.Joined++ }},
	{name: "rows of an export", check: "control figures", written: func(p *parts) {
		p.m.Inputs[slices.IndexFunc(p.m.Inputs, func(in Input) bool { return in.Table == ExportsInput })].Rows++
	}},
	{name: "rows read", check: "rows read", written: func(p *parts) { p.m.Counts.RowsRead++ }},
	{name: "count of a category", check: "conversations by category", written: func(p *parts) { p.m.Counts.Conversations["service"]++ }},
	{name: "count of a class", check: "differences by class", written: func(p *parts) { p.m.Counts.Differences["match"]++ }},
	{name: "count of a kind", check: "findings by kind", written: func(p *parts) { p.m.Counts.Findings["outside_window"]-- }},
	{name: "count of a reason", check: "rejects by reason", written: func(p *parts) {
		p.m.Counts.Rejected = map[string]int64{"bad_category": 1}
	}},
	{name: "total of a currency", check: "totals by currency", written: func(p *parts) { p.m.Totals[0].Gross = "1.00" }},
	{name: "a currency too few", check: "totals by currency", written: func(p *parts) { p.m.Totals = p.m.Totals[1:] }},
}

const (
	firstFile  = "charges/2024-07-03/00.parquet"
	secondFile = "charges/2024-07-03/01.parquet"
)

func (p *parts) replace(key, old, new string) {
	text := strings.Replace(string(p.store.objects[key]), old, new, 1)
	if text == string(p.store.objects[key]) {
		panic(key + " has no " + old)
	}
	p.store.objects[key] = []byte(text)
}

func (p *parts) amounts(name string) []reconcile.Micros {
	return at(p.charges[name], ChargesSchema(), "amount").Micros
}

// reprice changes price and amount of a charge that the differences have.
func (p *parts) reprice(name string, by reconcile.Micros) {
	row := charged(p)
	p.amounts(name)[row] += by
	at(p.charges[name], ChargesSchema(), "unit_price").Micros[row] += by
}

// charged is a row that is a charge with an amount in both files.
func charged(p *parts) int {
	for i := range 300 {
		both := true
		for _, name := range []string{firstFile, secondFile} {
			both = both && at(p.charges[name], ChargesSchema(), "status").Text[i] == "charged"
		}
		if both {
			return i
		}
	}
	panic("no such row")
}

func TestVerify(t *testing.T) {
	t.Parallel()
	p := aRun()
	p.write(t)
	p.seal(t)
	for _, run := range []string{"", testRun, p.m.RunID} {
		checks, err := Verify(t.Context(), p.store, run, "2024-07")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range checks {
			if !c.OK || c.Name == "" || c.Detail == "" {
				t.Errorf("%+v", c)
			}
		}
	}
	if _, err := Verify(t.Context(), p.store, "", "2024-08"); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrVerify) {
		t.Errorf("no such period: %v", err)
	}
	if _, err := Verify(t.Context(), p.store, "runs/2024-07/0/", "2024-07"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such run: %v", err)
	}
	if _, err := Verify(t.Context(), p.store, "../x", "2024-07"); err == nil {
		t.Error("a run outside was accepted")
	}
}

// TestVerifyOlderFormat: a run of format 3 has statements of two columns less,
// with six decimals in CSV, one of format 1 of one more.
func TestVerifyOlderFormat(t *testing.T) {
	t.Parallel()
	for format, missing := range map[int]int{3: 2, 1: 3} {
		p := aRun()
		p.older(format)
		f := p.tables[StatementsTable]
		f.Columns = f.Columns[:len(f.Columns)-missing]
		p.write(t)
		p.seal(t)
		if !strings.Contains(string(p.store.objects[testRun+"statements.csv"]), ".000000,") {
			t.Errorf("format %d: statements.csv has no six decimals", format)
		}
		if _, err := Verify(t.Context(), p.store, "", "2024-07"); err != nil {
			t.Errorf("format %d: %v", format, err)
		}
	}
}

// older makes the run one of a format before 4.
func (p *parts) older(format int) {
	delete(p.tables, RechargesTable)
	p.m.Control = slices.DeleteFunc(p.m.Control, func(c ControlTotal) bool { return strings.HasPrefix(c.Name, RechargesControl) })
	p.m.FormatVersion, p.m.Settings.VATAt = format, ""
	for i := range p.m.Totals {
		p.m.Totals[i].Prepaid, p.m.Totals[i].Payable = "", ""
	}
}

// TestVerifyDamage shows each kind of damage to be noticed, by the check that
// is meant for it, and each check to fire.
func TestVerifyDamage(t *testing.T) {
	t.Parallel()
	fired := map[string]bool{"manifest": true} // TestVerifyManifest
	for _, d := range slices.Concat(damages, damagedStatements(), damagedRecharges(), damagedTotals(), damagedClosings()) {
		fired[d.check] = true
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			p := aRun()
			if d.tables != nil {
				d.tables(p)
			}
			p.write(t)
			if d.written != nil {
				d.written(p)
			}
			p.seal(t)
			if d.sealed != nil {
				d.sealed(p)
			}
			checks, err := Verify(t.Context(), p.store, "", "2024-07")
			if !errors.Is(err, ErrVerify) {
				t.Fatalf("got %v", err)
			}
			i := slices.IndexFunc(checks, func(c Check) bool { return !c.OK })
			if checks[i].Name != d.check {
				t.Errorf("%s came first: %v", checks[i].Name, err)
			}
			if !strings.Contains(err.Error(), checks[i].Detail) && d.check != pointerCheck { // see TestVerifyDamagedPointer
				t.Errorf("%v, want %q", err, checks[i].Detail)
			}
		})
	}
	p := aRun()
	p.write(t)
	p.seal(t)
	p.close()
	p.adjust()
	checks, err := Verify(t.Context(), p.store, "", "2024-07")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range checks {
		if !fired[c.Name] {
			t.Errorf("no damage is meant for the check %q", c.Name)
		}
	}
}

// TestVerifyDamagedPointer: a pointer that is damaged, or is not that of the
// manifest, hides nothing of what is wrong with the run.
func TestVerifyDamagedPointer(t *testing.T) {
	t.Parallel()
	const pointer = "current/2024-07.json"
	for name, c := range map[string]struct {
		damage func(p *parts)
		checks int // at least
		want   string
	}{
		"field": {func(p *parts) { p.replace(pointer, "previous", "prevjous") }, 10, "verify " + testRun + ": verification failed: pointer: "},
		"field and a file": {func(p *parts) {
			p.replace(pointer, "previous", "prevjous")
			p.store.objects[testRun+firstFile][300] ^= 1
		}, 10, "verify " + testRun + firstFile + ": verification failed: bytes: sha256"},
		"rows in the manifest": {func(p *parts) { p.replace(testRun+manifestName, `"rows": 300`, `"rows": 301`) }, 10, firstFile + ": verification failed: content: 300 rows, the manifest has 301"},
		"manifest cut": {func(p *parts) {
			p.store.set(testRun+manifestName, p.store.objects[testRun+manifestName][:100])
		}, 2, "verify " + testRun + "manifest.json: verification failed: manifest: "},
		"no manifest": {func(p *parts) { delete(p.store.objects, testRun+manifestName) }, 2, "verify " + testRun + "manifest.json: verification failed: manifest: the file is not there"},
		"no JSON":     {func(p *parts) { p.store.set(pointer, []byte("x")) }, 1, "verify " + pointer + ": verification failed: pointer: "},
	} {
		p := aRun()
		p.write(t)
		p.seal(t)
		c.damage(p)
		checks, err := Verify(t.Context(), p.store, "", "2024-07")
		if !errors.Is(err, ErrVerify) || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if len(checks) < c.checks || checks[0].Name != pointerCheck || checks[0].OK {
			t.Errorf("%s: %d checks: %+v", name, len(checks), checks)
		}
	}
}

func TestVerifyManifest(t *testing.T) {
	t.Parallel()
	p := aRun()
	p.write(t)
	p.seal(t)
	p.replace(testRun+manifestName, `"verdict"`, `"verdicts"`)
	checks, err := Verify(t.Context(), p.store, testRun, "2024-07")
	if !errors.Is(err, ErrVerify) || len(checks) != 1 || checks[0].Name != "manifest" {
		t.Errorf("got %v, %v", checks, err)
	}
}

// TestVerifyStoreFails: a store that does not answer is no verdict on a run.
func TestVerifyStoreFails(t *testing.T) {
	t.Parallel()
	p := aRun()
	p.write(t)
	p.seal(t)
	broken := errors.New("connection reset")
	for _, op := range []string{"get current/2024-07.json", "get " + testRun + manifestName, "open " + testRun + firstFile} {
		p.store.fault = func(o, key string) (bool, error) {
			if o+" "+key == op {
				return false, broken
			}
			return true, nil
		}
		if _, err := Verify(t.Context(), p.store, "", "2024-07"); !errors.Is(err, broken) || errors.Is(err, ErrVerify) {
			t.Errorf("%s: got %v", op, err)
		}
	}
}

// TestSeveralRates: an account with two VAT rates has two roundings.
func TestSeveralRates(t *testing.T) {
	t.Parallel()
	sums := newChargeSums("")
	sums.owes(owedKey{account: "a", currency: "EUR"}).payable.add(25_000)
	for got, want := range map[string]bool{"0.02": true, "0.03": true, "0.035": true, "0.04": false, "0.01": false} {
		stated := map[owedKey]*statedSum{{account: "a", currency: "EUR"}: {rows: 2, payable: wide(got)}}
		if err := checkStated(sums, stated); (err == nil) != want {
			t.Errorf("%s: %v", got, err)
		}
	}
	one := map[owedKey]*statedSum{{account: "a", currency: "EUR"}: {rows: 1, payable: wide("0.02")}}
	if err := checkStated(sums, one); err == nil {
		t.Error("0.025 was rounded down")
	}
	if err := checkStated(sums, nil); err == nil {
		t.Error("a missing statement was not noticed")
	}
}
