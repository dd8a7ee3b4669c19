package batch

import (
	"encoding/csv"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/writertest"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// The provider's tables of the tests. It takes Canada and Kazakhstan for part of
// their neighbours, tells islands apart that are sold as Italy, has other plans, an
// account that nothing is sold to, and no price for authentication in euros.
const (
	costAccounts = `account_id,name,plan,rules,basis,time_zone,vat_rate,portfolio,valid_from,valid_to
rome,,meta,,,Europe/Rome,,,,
auckland,,meta,,,Pacific/Auckland,,,,2024-07-05
angeles,,direct,,delivered,America/Los_Angeles,,,,
nobody,,direct,,,,,,,
`
	costMarkets = `prefix,country,market,valid_from,valid_to
39,IT,South,,2024-07-03
39,IT,Mediterranean,2024-07-03,
393331234568,IT,Islands,,
1,US,North America,,
7,RU,East,,
49,DE,South,,
`
	costRates = `plan,market,category,unit,price,currency,valid_from,valid_to
meta,South,marketing,conversation,0.05,EUR,2024-01-01,
meta,Mediterranean,marketing,conversation,0.06,USD,2024-01-01,
meta,Islands,marketing,conversation,0.055,EUR,2024-01-01,
meta,RU,marketing,conversation,0.07,USD,2024-01-01,
meta,*,utility,conversation,0.012345,USD,2024-01-01,
meta,*,service,conversation,0,EUR,2024-01-01,
direct,*,marketing,conversation,0.11,USD,2024-01-01,
direct,North America,utility,conversation,0.011,USD,2024-01-01,
direct,*,service,conversation,0.01,GBP,2024-01-01,
`
	costFx = `date,from,to,rate
2024-07-02,USD,EUR,0.9317
2024-07-04,USD,EUR,0.92
`
	bookInvoices = `invoice_id,line_id,account_id,business_number,date_from,date_to,market,category,kind,quantity,unit_price,amount,currency
I,1,rome,,2024-07-01,2024-07-06,South,marketing,usage,3,0.05,0.15,EUR
I,2,rome,,2024-07-01,2024-07-06,Mediterranean,marketing,usage,3,0.06,0.18,USD
I,3,rome,,2024-07-01,2024-07-06,IT,utility,usage,5,0.031415,0.157075,EUR
I,4,angeles,,2024-07-01,2024-07-06,RU,,usage,2,0.1,0.2,USD
I,5,angeles,,2024-07-01,2024-07-06,KZ,,usage,2,0.1,0.2,USD
`
)

// withCosts gives a job the provider's book.
func withCosts(j *Job) {
	j.CostRates, j.CostAccounts = tableSource(costRates), tableSource(costAccounts)
	j.CostMarkets, j.Fx = tableSource(costMarkets), tableSource(costFx)
}

// Every object of runs with two books comes out the same whatever the workers
// and passes, also where a run starts from a checkpoint, and where recharges
// pay.
func TestCostsInPasses(t *testing.T) {
	t.Parallel()
	first, _ := reconcile.ParseDate("2024-06-25")
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			c := newCrowd(700+seed, first, 17)
			c.late = 1
			c.fill(1000)
			if seed > 0 {
				c.manyContacts()
				c.prepay(12)
			}
			exports := c.exports(t, rand.New(rand.NewPCG(7, 2)), 2, 50)
			want := threePeriods(t, exports, c, func(j *Job) { withCosts(j); j.Workers = 1 })
			if paid := paidCosts(t, want); seed > 0 && paid < 10 {
				t.Errorf("recharges paid for %d charges that cost something", paid)
			}
			for _, v := range []struct{ workers, passes int }{{2, 1}, {7, 1}, {1, 3}, {7, 4}} {
				got := threePeriods(t, exports, c, func(j *Job) {
					withCosts(j)
					if j.Workers = v.workers; v.passes > 1 {
						inPasses(j, v.passes)
					}
				})
				bytesAgree(t, fmt.Sprintf("%+v", v), want, got)
			}
		})
	}
}

// paidCosts counts the charges of all runs that a recharge paid and that cost
// something.
func paidCosts(t *testing.T, out *writertest.Mem) (n int) {
	t.Helper()
	for key, data := range out.Objects() {
		if !strings.Contains(key, "/charges/") {
			continue
		}
		for _, line := range lines(t, key, string(data), writer.CostChargesSchema(), []string{"cost_status", "recharge_id"}) {
			if strings.HasPrefix(line, "charged ") && !strings.HasSuffix(line, "| true|") {
				n++
			}
		}
	}
	return n
}

// A run with two books is two runs with one each: what charges are sold for,
// and every table that follows from it, is as without the provider's book; what
// they cost is what a run bills that is sold by the provider's book alone; and
// the invoices are compared with either.
func TestCostsAgainstTwoRuns(t *testing.T) {
	t.Parallel()
	first, _ := reconcile.ParseDate("2024-06-25")
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			c := newCrowd(800+seed, first, 17)
			c.fill(1500)
			exports := c.exports(t, rand.New(rand.NewPCG(seed, 2)), 2, 50)
			run := func(how func(*Job)) map[string]string {
				j, out := testJob(t, exports, "2024-07-01..2024-07-06")
				j.Invoices = tableSource(bookInvoices)
				how(&j)
				res := mustRun(t, j)
				if _, err := writer.Verify(t.Context(), out, res.RunKey, j.Period.String()); err != nil {
					t.Fatal(err)
				}
				return tablesOf(t, out, res.RunKey)
			}
			sold := run(func(*Job) {})
			bought := run(func(j *Job) {
				j.Rates, j.Accounts, j.Markets = tableSource(costRates), tableSource(costAccounts), tableSource(costMarkets)
			})
			both := run(func(j *Job) { withCosts(j); j.Workers = 1 })
			bySale := run(func(j *Job) { withCosts(j); j.InvoiceBook = writer.SellBook })
			for _, name := range []string{"statements.csv", "findings.csv"} {
				same(t, name+" of both books and of what is sold", sold[name], both[name])
			}
			same(t, "differences by cost", bought["differences.csv"], both["differences.csv"])
			same(t, "differences by sale", sold["differences.csv"], bySale["differences.csv"])
			if sold["differences.csv"] == bought["differences.csv"] {
				t.Error("the books come to the same differences")
			}
			seen, unsold := 0, 0
			for name, data := range both {
				if !strings.HasPrefix(name, writer.ChargesTable) {
					continue
				}
				sell := writer.ChargesSchema()
				costs := lines(t, name, data, writer.CostChargesSchema(), costNames(""))
				seen += len(costs)
				for _, line := range lines(t, name, data, writer.CostChargesSchema(), []string{"reason", "cost_status"}) {
					if line == "unknown_account false|charged false|" {
						unsold++
					}
				}
				same(t, name, lines(t, name, sold[name], sell, columnNames(sell)), lines(t, name, data, writer.CostChargesSchema(), columnNames(sell)))
				same(t, name+" by cost", lines(t, name, bought[name], sell, costNames("cost_")), costs)
			}
			if seen < 100 || unsold < 1 {
				t.Errorf("only %d charges, %d of which are bought and sold to nobody", seen, unsold)
			}
			checkMarginsByHand(t, both)
			checkPaidCosts(t, bought, run(func(j *Job) { withCosts(j); j.Recharges = tableSource(costRecharges) }))
		})
	}
}

const costRecharges = `recharge_id,account_id,plan,purchased_at,net_amount,currency,expires_at
R1,rome,small,2024-07-02,1,EUR,
R2,auckland,small,2024-07-02,1,EUR,
`

// checkPaidCosts: what a charge costs does not depend on who pays for it.
func checkPaidCosts(t *testing.T, bought, paid map[string]string) {
	t.Helper()
	prepaid := 0
	for name, data := range paid {
		if !strings.HasPrefix(name, writer.ChargesTable) {
			continue
		}
		s := writer.CostChargesSchema()
		same(t, name+" by cost, paid by recharges", lines(t, name, bought[name], writer.ChargesSchema(), costNames("cost_")), lines(t, name, data, s, costNames("")))
		for _, line := range lines(t, name, data, s, []string{"recharge_id"}) {
			if line != " true|" {
				prepaid++
			}
		}
	}
	if prepaid < 5 {
		t.Errorf("recharges paid for %d charges", prepaid)
	}
	checkMarginsByHand(t, paid)
}

func same[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func columnNames(s writer.Schema) (names []string) {
	for _, c := range s {
		names = append(names, c.Name)
	}
	return names
}

// costNames are the columns of CostChargesSchema beyond the others, without a
// prefix.
func costNames(without string) (names []string) {
	all := columnNames(writer.CostChargesSchema())
	for _, name := range all[len(writer.ChargesSchema()):] {
		names = append(names, strings.TrimPrefix(name, without))
	}
	return append(names, "charge_id")
}

// lines are the rows of a Parquet file in some of its columns.
func lines(t *testing.T, name, data string, s writer.Schema, columns []string) (rows []string) {
	t.Helper()
	for f, err := range writer.DecodeParquet(t.Context(), name, []byte(data), s) {
		if err != nil {
			t.Fatal(err)
		}
		for row := range f.Rows {
			var line strings.Builder
			for _, column := range columns {
				i := slices.IndexFunc(s, func(c writer.ColumnSpec) bool { return c.Name == column })
				text, null := f.Columns[i].CellText(s[i].Type, row)
				fmt.Fprintf(&line, "%s %v|", text, null)
			}
			rows = append(rows, line.String())
		}
	}
	return rows
}

// margins is what charges of an account come to in a pair of currencies.
type marginsOf struct {
	charges, without int
	margin           decimal.Decimal
}

// checkMarginsByHand holds the margins of the summary against the charges,
// taken one by one. A rate is 0.9317 from 2 July on, 0.92 from 4 July on, and
// only from dollars to euros. A row is rounded, so that there may be half a
// millionth a charge between them.
func checkMarginsByHand(t *testing.T, tables map[string]string) {
	t.Helper()
	want, got := map[string]*marginsOf{}, map[string]*marginsOf{}
	of := func(m map[string]*marginsOf, key string) *marginsOf {
		if m[key] == nil {
			m[key] = &marginsOf{}
		}
		return m[key]
	}
	s := writer.CostChargesSchema()
	for name, data := range tables {
		if !strings.HasPrefix(name, writer.ChargesTable) {
			continue
		}
		for _, line := range lines(t, name, data, s, []string{"account_id", "billing_date", "market", "currency", "amount", "cost_currency", "cost_amount"}) {
			var cells [7]string
			for i, cell := range strings.Split(strings.TrimSuffix(line, "|"), "|") {
				cells[i] = cell[:strings.LastIndex(cell, " ")]
			}
			m := of(want, strings.Join([]string{cells[0], cells[2], cells[3], cells[5]}, " "))
			m.charges++
			if margin, ok := marginByHand(cells[1], cells[3], cells[4], cells[5], cells[6]); ok {
				m.margin = m.margin.Add(margin)
			} else {
				m.without++
			}
		}
	}
	rows, err := csv.NewReader(strings.NewReader(tables["summary.csv"])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := func(row []string, column string) string { return row[slices.Index(rows[0], column)] }
	for _, row := range rows[1:] {
		m := of(got, strings.Join([]string{at(row, "account_id"), at(row, "market"), at(row, "currency"), at(row, "cost_currency")}, " "))
		n := int(decimal.RequireFromString(at(row, "quantity")).IntPart())
		m.charges += n
		if margin := at(row, "margin"); margin == "" {
			m.without += n
		} else {
			m.margin = m.margin.Add(decimal.RequireFromString(margin))
		}
	}
	if keys := slices.Sorted(maps.Keys(want)); !slices.Equal(keys, slices.Sorted(maps.Keys(got))) || len(keys) < 8 {
		t.Fatalf("margins of %q, want %q", slices.Sorted(maps.Keys(got)), keys)
	}
	with := 0
	for key, w := range want {
		g := got[key]
		half := decimal.New(int64(w.charges)*5, -7)
		if g.charges != w.charges || g.without != w.without || g.margin.Sub(w.margin).Abs().GreaterThan(half) {
			t.Errorf("%s: %+v, want %+v", key, *g, *w)
		}
		with += w.charges - w.without
	}
	if with < 20 {
		t.Errorf("only %d charges have a margin", with)
	}
}

func marginByHand(date, sold, amount, bought, cost string) (decimal.Decimal, bool) {
	if sold == "" || bought == "" {
		return decimal.Decimal{}, false // no test has free charges
	}
	net, spent := decimal.RequireFromString(amount), decimal.RequireFromString(cost)
	switch {
	case sold == bought || spent.IsZero():
	case sold == "EUR" && bought == "USD" && date >= "2024-07-04":
		spent = spent.Mul(decimal.RequireFromString("0.92"))
	case sold == "EUR" && bought == "USD" && date >= "2024-07-02":
		spent = spent.Mul(decimal.RequireFromString("0.9317"))
	default:
		return decimal.Decimal{}, false
	}
	return net.Sub(spent), true
}

// What a closed month costs is not billed to anybody: another book of the
// provider, or none any more, adjusts nothing, and a price is adjusted the same
// with and without.
func TestClosedMonthWithCosts(t *testing.T) {
	t.Parallel()
	const accounts = "account_id,plan\nacme,meta\n"
	rates := func(price string) string {
		return "plan,market,category,unit,price,currency,valid_from,valid_to\nmeta,*,marketing,conversation," + price + ",EUR,,\n"
	}
	for _, sealed := range []string{"", "0.04"} {
		t.Run("sealed with "+sealed, func(t *testing.T) {
			t.Parallel()
			out := &writertest.Mem{}
			b := newBooks(t, out)
			run := func(price string) *Result {
				t.Helper()
				j := b.job("2024-07")
				if price != "" {
					j.CostRates, j.CostAccounts = tableSource(rates(price)), tableSource(accounts)
				}
				res := mustRun(t, j)
				if res.Already {
					t.Fatalf("published before with cost %q", price)
				}
				b.verify(res.RunKey)
				return res
			}
			run(sealed)
			b.close("2024-07")
			none := func(res *Result) {
				t.Helper()
				b.wantAdjustments(res, []string{}...)
			}
			none(run("0.05"))
			if sealed != "" {
				none(run(""))
			}
			none(run("0.06"))
			b.rates = strings.Replace(bookRates, "0.10", "0.12", 1)
			b.wantAdjustments(run("0.07"),
				"reversal 39100000001 2024-07-03 -0.1", "replacement 39100000001 2024-07-03 0.12",
				"reversal 39100000002 2024-07-20 -0.1", "replacement 39100000002 2024-07-20 0.12")
			none(run(""))
			for _, fault := range out.Faults() {
				t.Error(fault)
			}
		})
	}
}

// The provider's book decides which run it is, and naming the default does not.
func TestCostIdentity(t *testing.T) {
	t.Parallel()
	first, _ := reconcile.ParseDate("2024-07-02")
	c := newCrowd(9, first, 4)
	c.fill(50)
	exports := c.exports(t, rand.New(rand.NewPCG(9, 2)), 1, 50)
	id := func(how func(*Job)) string {
		j, _ := testJob(t, exports, "2024-07-03")
		j.AllowMissing = true
		how(&j)
		plan, err := NewPlan(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		return plan.RunID
	}
	none, all := id(func(*Job) {}), id(withCosts)
	invoiced := func(j *Job) { withCosts(j); j.Invoices = tableSource(bookInvoices) }
	same(t, "the one book, named", none, id(func(j *Job) { j.InvoiceBook = writer.SellBook }))
	same(t, "the provider's book, named", all, id(func(j *Job) { withCosts(j); j.InvoiceBook = writer.CostBook }))
	same(t, "the other book, and no invoices", all, id(func(j *Job) { withCosts(j); j.InvoiceBook = writer.SellBook }))
	same(t, "the provider's book, named, for invoices", id(invoiced), id(func(j *Job) { invoiced(j); j.InvoiceBook = writer.CostBook }))
	seen := map[string]string{none: "none", all: "all", id(invoiced): "invoiced"}
	for name, how := range map[string]func(*Job){
		"sell":     func(j *Job) { invoiced(j); j.InvoiceBook = writer.SellBook },
		"rates":    func(j *Job) { j.CostRates = tableSource(costRates + "\n") },
		"accounts": func(j *Job) { j.CostAccounts = tableSource(costAccounts + "\n") },
		"markets":  func(j *Job) { j.CostMarkets = nil },
		"fx":       func(j *Job) { j.Fx = nil },
		"swapped":  func(j *Job) { j.Rates, j.CostRates = j.CostRates, j.Rates },
	} {
		got := id(func(j *Job) { withCosts(j); how(j) })
		if other, twice := seen[got]; twice {
			t.Errorf("%s and %s are the same run", name, other)
		}
		seen[got] = name
	}
}
