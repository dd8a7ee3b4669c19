package writer

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"iter"
	"maps"
	"slices"
	"strings"

	"waconcile/reconcile"

	"github.com/shopspring/decimal"
)

// The statuses of a charge.
const (
	statusCharged = "charged"
	statusFree    = "free"
	statusUnrated = "unrated"
)

// contents checks the tables against each other and against the manifest. A
// table that could not be read has failed before; what needs it is left out.
func (v *verifier) contents(results []fileResult) {
	charges, tables := newChargeSums(""), map[string]*table{}
	charges.byCost = v.manifest.Settings.InvoiceBook == CostBook
	readable := true
	for i := range results {
		r := &results[i]
		for _, c := range r.checks {
			readable = readable && c.OK
		}
		if r.charge != nil {
			charges.merge(r.charge)
		}
		if r.table != "" {
			tables[r.table] = v.newTable(r)
		}
	}
	v.csvTwins(tables)
	v.controlTotals()
	if !readable {
		v.check("control totals", "", errors.New("not recomputed, since a file is not what the manifest says"), "")
		return
	}
	for _, name := range v.tablesOfRun() {
		if tables[name] == nil {
			v.check("tables", name+parquetExt, errors.New("the run has no such table"), "")
			return
		}
	}
	if !v.checkGround(results, charges, tables[StatementsTable]) {
		return
	}
	v.check("charges by status", "", checkStatuses(charges), fmt.Sprintf("%d charges = %d charged + %d free + %d unrated",
		charges.rows, charges.status[statusCharged], charges.status[statusFree], charges.status[statusUnrated]))
	v.checkSummary(charges, tables[SummaryTable])
	v.checkMargins(tables[SummaryTable])
	v.checkStatements(charges, tables[StatementsTable])
	v.checkRecharges(charges, tables[RechargesTable])
	v.check("differences", DifferencesTable+parquetExt, checkDifferences(tables[DifferencesTable]),
		"theirs − ours = the difference = the sum of its effects, in each row")
	v.check("our side of the differences", DifferencesTable+parquetExt, checkOurs(charges, tables[DifferencesTable]),
		"Σ our quantity and amount = the charges of the accounts in scope, for each account and currency")
	v.checkCounts(charges, tables)
	v.checkFigures(charges, tables, results)
}

// tablesOfRun are the tables that every run of the manifest's format has.
func (v *verifier) tablesOfRun() []string {
	names := []string{SummaryTable, StatementsTable, DifferencesTable, FindingsTable, RejectsTable}
	if v.manifest.FormatVersion >= rechargesSince {
		names = append(names, RechargesTable)
	}
	return names
}

// table is a small table in memory; of adjustments there are no frames.
type table struct {
	schema Schema
	frames []Frame
	twin   *csvTwin // nil where the table could not be read
}

func (v *verifier) newTable(r *fileResult) *table {
	_, s, _ := v.manifest.SchemaOf(r.table + parquetExt)
	return &table{s, r.frames, r.twin}
}

// tableRow is a row of a table.
type tableRow struct {
	schema Schema
	frame  *Frame
	row    int
}

func (t *table) rows() iter.Seq2[int64, tableRow] {
	return func(yield func(int64, tableRow) bool) {
		n := int64(0)
		for i := range t.frames {
			for row := range t.frames[i].Rows {
				if !yield(n, tableRow{t.schema, &t.frames[i], row}) {
					return
				}
				n++
			}
		}
	}
}

func (r tableRow) column(name string) *Column       { return &r.frame.Columns[r.schema.index(name)] }
func (r tableRow) text(name string) string          { return r.column(name).textAt(r.row) }
func (r tableRow) null(name string) bool            { return r.column(name).isNull(r.row) }
func (r tableRow) wide(name string) decimal.Decimal { return r.column(name).wideAt(r.row) }
func (r tableRow) whole(name string) int64          { return r.column(name).Int[r.row] }

// csvTwins compares each CSV file with the one that its table would give.
func (v *verifier) csvTwins(tables map[string]*table) {
	for _, f := range v.manifest.Files {
		name, _, known := SchemaOf(f.Name)
		if !strings.HasSuffix(f.Name, csvExt) {
			continue
		}
		t := tables[name]
		switch {
		case !known || t == nil || t.twin == nil:
			v.check("csv", f.Name, errors.New("there is no Parquet file of this table that could be read"), "")
		default:
			v.check("csv", f.Name, t.twin.check(f, name), fmt.Sprintf("%d rows, the same as in %s%s", f.Rows, name, parquetExt))
		}
	}
}

// csvTwin is the CSV file of a table, of which only the hash is kept.
type csvTwin struct {
	hash hash.Hash
	csv  *csvEncoder
	err  error
}

func newCSVTwin(s Schema) *csvTwin {
	h := sha256.New()
	return &csvTwin{hash: h, csv: newCSVEncoder(h, s)}
}

func (t *csvTwin) add(f *Frame) {
	if t.err == nil {
		t.err = t.csv.add(f)
	}
}

// check holds the file of that entry against the table called name.
func (t *csvTwin) check(f FileEntry, name string) error {
	switch err := errors.Join(t.err, t.csv.flush()); {
	case err != nil:
		return err
	case t.csv.rows != f.Rows:
		return fmt.Errorf("%d rows, %s%s has %d", f.Rows, name, parquetExt, t.csv.rows)
	case !maps.Equal(totalsText(t.csv.totals), f.Totals):
		return fmt.Errorf("other column totals than %s%s", name, parquetExt)
	case hex.EncodeToString(t.hash.Sum(nil)) != f.SHA256:
		return fmt.Errorf("other rows than %s%s", name, parquetExt)
	}
	return nil
}

// controlTotals looks at what the run itself checked before it was published.
func (v *verifier) controlTotals() {
	for _, c := range v.manifest.Control {
		var problem error
		if !c.OK {
			problem = fmt.Errorf("%s and %s: %s", c.Left, c.Right, c.Text)
		}
		v.check("control total "+c.Name, manifestName, problem, c.Left+" = "+c.Right)
	}
	n := &v.manifest.Counts
	parts := n.Merged + n.BeforeCheckpoint + n.Messages
	for _, rejected := range n.Rejected {
		parts += rejected
	}
	v.check("rows read", manifestName, unequal("rejected + merged + before the checkpoint + messages - taken over from the checkpoint", parts-n.Carried, n.RowsRead),
		fmt.Sprintf("%d = rejected + merged + before the checkpoint + messages - taken over from the checkpoint", n.RowsRead))
}

// unequal is nil where got is want.
func unequal(what string, got, want int64) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("%s is %d, want %d", what, got, want)
}

func unequalMoney(what string, got, want decimal.Decimal) error {
	if got.Equal(want) {
		return nil
	}
	return fmt.Errorf("%s is %s, want %s", what, got, want)
}

func checkStatuses(charges *chargeSums) error {
	known := charges.status[statusCharged] + charges.status[statusFree] + charges.status[statusUnrated]
	return unequal("charged + free + unrated", known, charges.rows)
}

// checkSummary holds the summary against the charges: both totals, and each
// row against the charges that it stands for.
func (v *verifier) checkSummary(charges *chargeSums, summary *table) {
	quantity, net, all := int64(0), decimal.Zero, decimal.Zero
	var problem error
	left := maps.Clone(charges.summary)
	for n, row := range summary.rows() {
		quantity += row.whole("quantity")
		net = net.Add(row.wide("net_amount"))
		key := row.summaryKey()
		if problem == nil {
			if problem = checkGroup(row, left[key]); problem != nil {
				problem = fmt.Errorf("row %d: %w", n, problem)
			}
		}
		delete(left, key)
	}
	for _, g := range charges.summary {
		all = all.Add(g.net.sum())
	}
	if problem == nil && len(left) > 0 {
		problem = fmt.Errorf("%d groups of charges have no row", len(left))
	}
	file := SummaryTable + parquetExt
	v.check("summary quantity", file, unequal("Σ quantity", quantity, charges.rows), fmt.Sprintf("%d = charges", quantity))
	v.check("summary net", file, unequalMoney("Σ net_amount", net, all), net.String()+" = Σ charge amounts")
	v.check("summary rows", file, problem, fmt.Sprintf("%d, each the count and the sum of its charges", len(charges.summary)))
}

func (r tableRow) summaryKey() summaryKey {
	return summaryKey{
		account: r.text("account_id"), date: r.whole("billing_date"), country: r.text("country"), market: r.text("market"),
		category: r.text("category"), unit: r.text("unit"), plan: r.text("plan"), currency: r.text("currency"),
		status: r.text("status"), price: r.column("unit_price").microsAt(r.row), priced: !r.null("unit_price"), cost: r.costKey(),
	}
}

func checkGroup(row tableRow, g *chargeGroup) error {
	if g == nil {
		return errors.New("no charges are like it, or it is there twice")
	}
	if err := unequal("quantity", row.whole("quantity"), g.quantity); err != nil {
		return err
	}
	if err := row.checkCost(g); err != nil {
		return err
	}
	return unequalMoney("net_amount", row.wide("net_amount"), g.net.sum())
}

// checkStatements holds the statements against the charges, account by
// account and currency by currency, and computes each row anew.
func (v *verifier) checkStatements(charges *chargeSums, statements *table) {
	file := StatementsTable + parquetExt
	var rowProblem error
	stated := map[owedKey]*statedSum{}
	counts := map[owedKey][2]int64{} // by account and adjusted month: charges, unrated
	for n, row := range statements.rows() {
		if rowProblem == nil {
			if rowProblem = v.checkStatement(row); rowProblem != nil {
				rowProblem = fmt.Errorf("row %d: %w", n, rowProblem)
			}
		}
		key := owedKey{account: row.text("account_id"), currency: row.text("currency"), adjusted: row.adjustedPeriod()}
		if key.adjusted != "" {
			key.vat = row.vat()
		}
		s := stated[key]
		if s == nil {
			s = &statedSum{}
			stated[key] = s
		}
		s.rows++
		s.payable = s.payable.Add(row.wide("payable_net"))
		s.prepaid = s.prepaid.Add(row.wide("prepaid_net"))
		key = key.counted()
		c := counts[key]
		counts[key] = [2]int64{c[0] + row.whole("charges"), c[1] + row.whole("unrated")}
	}
	v.check("statement rows", file, rowProblem, v.statementIdentity())
	v.check("statement charges", file, checkStatedCounts(charges, counts), fmt.Sprintf("as many as there are, for each of %d accounts and adjusted months", len(counts)))
	v.check("statement amounts", file, checkStated(charges, stated), "Σ charge amounts, rounded, for each account, currency and adjusted month")
}

// statedSum is what the statements of an account in one currency come to.
type statedSum struct {
	rows             int64
	payable, prepaid decimal.Decimal
}

// adjustedPeriod is empty where the format of the run has no such column.
func (r tableRow) adjustedPeriod() string {
	if !r.schema.has("adjusted_period") {
		return ""
	}
	return r.text("adjusted_period")
}

// checkStatedCounts goes by account and adjusted month.
func checkStatedCounts(charges *chargeSums, stated map[owedKey][2]int64) error {
	want := map[owedKey][2]int64{}
	for key, o := range charges.owed {
		key = key.counted()
		c := want[key]
		want[key] = [2]int64{c[0] + o.charges, c[1] + o.unrated}
	}
	for _, key := range sortedOwed(want, stated) {
		got, want := stated[key], want[key]
		if got != want {
			return fmt.Errorf("%s: %d charges, %d of them unrated, want %d and %d", key, got[0], got[1], want[0], want[1])
		}
	}
	return nil
}

// sortedKeys are the keys of both maps.
func sortedKeys[V, W any](a map[string]V, b map[string]W) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}

// checkStated rounds what is owed to the minor unit, half away from zero. An
// account with several VAT rates has a statement, and a rounding, for each;
// which of the period's own charges are on which is not in the tables, so that
// there each may be half a minor unit off.
func checkStated(charges *chargeSums, stated map[owedKey]*statedSum) error {
	for _, key := range sortedOwed(stated, charges.owed) {
		got, owes := stated[key], charges.owed[key]
		if got == nil {
			got = &statedSum{}
		}
		if owes == nil {
			owes = &owed{}
		}
		minor, known := reconcile.MinorUnits(key.currency)
		if key.currency != "" && !known {
			return fmt.Errorf("%s: the currency is not known", key)
		}
		for _, side := range []struct {
			name  string
			got   decimal.Decimal
			exact decimal.Decimal
		}{{"payable_net", got.payable, owes.payable.sum()}, {"prepaid_net", got.prepaid, owes.prepaid.sum()}} {
			off := side.got.Sub(side.exact).Abs()
			halves := decimal.New(5, -minor-1).Mul(decimal.NewFromInt(got.rows))
			if got.rows > 1 && off.LessThanOrEqual(halves) || side.got.Equal(side.exact.Round(minor)) {
				continue
			}
			return fmt.Errorf("%s: Σ %s is %s, the charges come to %s", key, side.name, side.got, side.exact)
		}
	}
	return nil
}

// classOutside is the one class of a difference without figures.
const classOutside = "outside_period"

// classCredit is the one class of a row that stands beside the charges.
const classCredit = "credit"

// classNoData may be one: a credit alone is of this class where its days have
// no export.
const classNoData = "no_data"

// besideCharges says whether a row of the differences stands beside the
// charges, or may do so: it does not tell that its account is in scope.
func besideCharges(r tableRow) bool {
	class := r.text("class")
	return class == classOutside || class == classCredit || class == classNoData && r.wide("our_quantity").IsZero()
}

// ourSide is our part of a currency of an account.
type ourSide struct{ quantity, amount decimal.Decimal }

// ourSides gives, for each account in scope and currency, what the rows of the
// differences say and what the charges come to. In scope are the accounts that
// a usage line names: such an account, where it has charges, has a row that
// does not stand beside them.
func ourSides(charges *chargeSums, differences *table) (rows, want map[owedKey]ourSide) {
	scope, rows, want := map[string]bool{}, map[owedKey]ourSide{}, map[owedKey]ourSide{}
	for _, r := range differences.rows() {
		if besideCharges(r) {
			continue
		}
		key := owedKey{account: r.text("account_id"), currency: r.text("currency")}
		scope[key.account] = true
		s := rows[key]
		rows[key] = ourSide{s.quantity.Add(r.wide("our_quantity")), s.amount.Add(r.wide("our_amount"))}
	}
	for k, g := range charges.summary {
		status, currency, amount := k.status, k.currency, &g.net
		if charges.byCost {
			status, currency, amount = k.cost.status, k.cost.currency, &g.cost
		}
		if status == statusCharged && scope[k.account] {
			key := owedKey{account: k.account, currency: currency}
			s := want[key]
			want[key] = ourSide{s.quantity.Add(decimal.NewFromInt(g.quantity)), s.amount.Add(amount.sum())}
		}
	}
	return rows, want
}

// checkOurs: every charge with a price, of an account in scope, is in exactly
// one row.
func checkOurs(charges *chargeSums, differences *table) error {
	rows, want := ourSides(charges, differences)
	for _, key := range sortedOwed(rows, want) {
		where := "account " + key.account + ", currency " + key.currency + ": "
		if err := errors.Join(
			unequalMoney(where+"Σ our_quantity", rows[key].quantity, want[key].quantity),
			unequalMoney(where+"Σ our_amount", rows[key].amount, want[key].amount),
		); err != nil {
			return err
		}
	}
	return nil
}

// sortedOwed are the keys of both maps.
func sortedOwed[V, W any](a map[owedKey]V, b map[owedKey]W) []owedKey {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.SortFunc(keys, func(a, b owedKey) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.currency, b.currency), cmp.Compare(a.adjusted, b.adjusted), a.vat.Compare(b.vat))
	})
	return slices.Compact(keys)
}

func checkDifferences(t *table) error {
	amounts := []string{"our_quantity", "our_amount", "their_amount", "amount_difference", "quantity_effect", "price_effect", "arithmetic_effect", "rounding_effect"}
	for n, r := range t.rows() {
		outside := r.text("class") == classOutside
		effects := decimal.Zero
		for i, name := range amounts {
			if r.null(name) != outside {
				return fmt.Errorf("row %d: class %s, %s null: %v", n, r.text("class"), name, r.null(name))
			}
			if i > 3 {
				effects = effects.Add(r.wide(name))
			}
		}
		difference := r.wide("amount_difference")
		if err := errors.Join(
			unequalMoney("amount_difference", difference, r.wide("their_amount").Sub(r.wide("our_amount"))),
			unequalMoney("the sum of the effects", effects, difference),
		); err != nil {
			return fmt.Errorf("row %d: %w", n, err)
		}
	}
	return nil
}

// checkCounts holds the counts of the manifest against the tables.
func (v *verifier) checkCounts(charges *chargeSums, tables map[string]*table) {
	n := &v.manifest.Counts
	v.check("conversations by category", manifestName, unequalCounts(n.Conversations, charges.category), "as in the charges")
	for _, c := range []struct {
		table, column string
		counts        map[string]int64
	}{
		{DifferencesTable, "class", n.Differences}, {FindingsTable, "kind", n.Findings}, {RejectsTable, "reason", n.Rejected},
	} {
		got := map[string]int64{}
		for _, row := range tables[c.table].rows() {
			got[row.text(c.column)]++
		}
		v.check(c.table+" by "+c.column, manifestName, unequalCounts(c.counts, got), "as in the table")
	}
	v.check("totals by currency", manifestName, v.unequalTotals(tables[StatementsTable]), "as in the statements")
}

// unequalCounts takes a count of 0 and none for the same.
func unequalCounts(manifest, counted map[string]int64) error {
	for _, key := range sortedKeys(manifest, counted) {
		if manifest[key] != counted[key] {
			return fmt.Errorf("%s: %d, the tables have %d", key, manifest[key], counted[key])
		}
	}
	return nil
}
