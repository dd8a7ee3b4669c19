package batch

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/writertest"

	"github.com/cespare/xxhash/v2"
	gocmp "github.com/google/go-cmp/cmp"
)

// prepaidRates are the price lists of recharges, beside testRates.
const prepaidRates = `pre,*,marketing,conversation,0.11,EUR,2024-01-01,2024-07-04
pre,*,marketing,conversation,0.13,EUR,2024-07-04,
pre,*,utility,conversation,0.02,EUR,2024-01-01,
pre,IT,service,conversation,0.001,EUR,2024-01-01,
deal,*,marketing,conversation,0.09,USD,2024-01-01,
deal,*,authentication,conversation,0.04,EUR,2024-01-01,
deal,*,utility,conversation,n/a,USD,2024-01-01,
`

// prepay gives the accounts of a crowd recharges, bought and ending at instants
// at which messages are sent.
func (c *crowd) prepay(n int) {
	var b strings.Builder
	b.WriteString("recharge_id,account_id,plan,purchased_at,net_amount,currency,expires_at\n")
	text := func(at int64) string { return time.UnixMilli(at).UTC().Format(time.RFC3339Nano) }
	for i := range n {
		bought, expires := c.instant(), ""
		if c.rng.IntN(2) == 0 {
			expires = text(bought + int64(1+c.rng.IntN(120))*3_600_000)
		}
		plan := []string{"pre", "deal", "small", "usd"}[c.rng.IntN(4)]
		currency := "EUR"
		if plan == "usd" || plan == "deal" && c.rng.IntN(2) == 0 {
			currency = "USD"
		}
		fmt.Fprintf(&b, "R%d,%s,%s,%s,%s,%s,%s\n", i, []string{"rome", "auckland", "angeles", "nobody"}[min(c.rng.IntN(10)/3, 3)], plan,
			text(bought), reconcile.Micros(c.rng.IntN(3_000_000)+1).Decimal(), currency, expires)
	}
	c.recharges = b.String()
}

// atOnce has many messages of an account sent at one instant, from several of
// its numbers to few contacts.
func (c *crowd) atOnce() {
	for _, rows := range c.rows {
		for i := range rows {
			r, n := &rows[i], xxhash.Sum64String(rows[i].MessageID)
			r.SentAt -= r.SentAt % (8 * 3_600_000)
			if r.DeliveredAt != 0 {
				r.DeliveredAt = r.SentAt + 1
			}
			r.Business, r.Contact = fmt.Sprintf("39 02 %d", 9+n/60%3), fmt.Sprintf("+39333000%04d", 8+n%4)
		}
	}
}

// soldCharge is a charge as its row tells.
type soldCharge struct {
	id, account, business, contact, category, country, market string
	openedAt                                                  int64
	date                                                      reconcile.Date
	plan, currency, status, reason, recharge, message         string
	price                                                     reconcile.Micros
}

// soldCharges are the charges of a run in the order in which they draw.
func soldCharges(t *testing.T, out *writertest.Mem, run string) []soldCharge {
	t.Helper()
	var all []soldCharge
	schema := writer.ChargesSchema()
	for key, data := range out.Objects() {
		if !strings.HasPrefix(key, run+"charges/") {
			continue
		}
		for f, err := range writer.DecodeParquet(t.Context(), key, data, schema) {
			if err != nil {
				t.Fatal(err)
			}
			column := func(name string) *writer.Column {
				return &f.Columns[slices.IndexFunc(schema, func(s writer.ColumnSpec) bool { return s.Name == name })]
			}
			for i := range f.Rows {
				text := func(name string) string {
					if c := column(name); c.Null == nil || !c.Null[i] {
						return c.Text[i]
					}
					return ""
				}
				c := soldCharge{
					id: text("charge_id"), account: text("account_id"), business: text("business_number"), contact: text("contact"),
					category: text("category"), country: text("country"), market: text("market"), openedAt: column("opened_at").Int[i],
					date: reconcile.Date(column("billing_date").Int[i]), plan: text("plan"), currency: text("currency"),
					status: text("status"), reason: text("reason"), recharge: text("recharge_id"), message: text("opened_by"),
				}
				if price := column("unit_price"); price.Null == nil || !price.Null[i] {
					c.price = price.Micros[i]
				}
				all = append(all, c)
			}
		}
	}
	slices.SortFunc(all, func(a, b soldCharge) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.openedAt, b.openedAt), cmp.Compare(a.business, b.business),
			cmp.Compare(a.contact, b.contact), cmp.Compare(a.category, b.category))
	})
	return all
}

// naivePayments has charges draw on recharges as R12 is written, and gives the
// ids of the messages whose charges found no credit.
func naivePayments(charges []soldCharge, recharges *reconcile.Recharges, book *reconcile.RateBook) (noCredit map[string]bool, left map[string]reconcile.Micros) {
	noCredit, left = make(map[string]bool), make(map[string]reconcile.Micros)
	for i := range recharges.Rows() {
		left[recharges.Rows()[i].ID] = recharges.Rows()[i].Net
	}
	for i := range charges {
		c := &charges[i]
		if c.reason == "unknown_account" || c.reason == "unknown_market" {
			continue
		}
		category, _ := reconcile.ParseCategory(c.category)
		for _, r := range recharges.Of(c.account) {
			if r.PurchasedAt > c.openedAt {
				continue
			}
			noCredit[c.message] = true
			rate := book.Lookup(r.Plan, reconcile.Place{Country: c.country, Market: c.market}, category, reconcile.UnitConversation, c.date)
			if r.ExpiresAt <= c.openedAt || rate == nil || rate.Currency != r.Currency || rate.Price > left[r.ID] {
				continue
			}
			left[r.ID] -= rate.Price
			c.plan, c.price, c.currency, c.status, c.reason, c.recharge = r.Plan, rate.Price, rate.Currency, "charged", "", r.ID
			delete(noCredit, c.message)
			break
		}
	}
	return noCredit, left
}

// Charges are paid as a naive reading of R12 has it, over what a run without
// recharges charges since the data begins.
func TestChargesDraw(t *testing.T) {
	t.Parallel()
	first := mustDate(t, "2024-06-25")
	paid, unpaid := 0, 0
	for seed := range uint64(12) {
		c := newCrowd(700+seed, first, 17)
		c.fillOnce(1500)
		c.manyContacts()
		if seed%2 == 0 {
			c.atOnce()
		}
		c.prepay(1 + int(seed)*3)
		exports := c.exports(t, rand.New(rand.NewPCG(seed, 2)), 2, 50)
		rates := tableSource(testRates + prepaidRates)
		book, _, err := reader.ReadRates(t.Context(), rates)
		if err != nil {
			t.Fatal(err)
		}
		recharges, _, err := reader.ReadRecharges(t.Context(), tableSource(c.recharges))
		if err != nil {
			t.Fatal(err)
		}
		period := "2024-07-02..2024-07-06"
		job := func(period string, withRecharges bool) (Job, *writertest.Mem) {
			j, out := testJob(t, exports, period)
			j.Rates, j.LookbackDays = rates, 20
			if withRecharges {
				j.Recharges = tableSource(c.recharges)
			}
			return j, out
		}
		before, out := job("2024-06-24..2024-07-06", false)
		before.AllowMissing = true
		want := soldCharges(t, out, mustRun(t, before).RunKey)
		noCredit, _ := naivePayments(want, recharges, book)
		var tables map[string]string
		for _, v := range []struct {
			workers, passes int
			memory          int64 // of several passes, for several spans of a date
		}{{1, 1, 0}, {2, 1, 0}, {7, 1, 0}, {7, 3, 0}, {2, 2, 10_000}} {
			j, out := job(period, true)
			workers := v.workers
			if j.Workers = workers; v.passes > 1 {
				inPasses(&j, v.passes)
				j.Memory = v.memory
			}
			res := mustRun(t, j)
			got := soldCharges(t, out, res.RunKey)
			wanted := slices.DeleteFunc(slices.Clone(want), func(c soldCharge) bool { return !j.Period.Has(c.date) })
			if diff := gocmp.Diff(wanted, got, gocmp.AllowUnexported(soldCharge{})); diff != "" {
				t.Fatalf("seed %d, %d workers: charges (-naive +got):\n%s", seed, workers, diff)
			}
			for _, c := range got {
				if c.recharge != "" {
					paid++
				}
				if noCredit[c.message] {
					unpaid++
				}
			}
			checkNoCredit(t, out, res.RunKey, got, noCredit)
			if tables == nil {
				tables = tablesOf(t, out, res.RunKey)
			} else if diff := tablesDiffer(t.Context(), tables, tablesOf(t, out, res.RunKey)); diff != "" {
				t.Errorf("seed %d, %d workers:\n%s", seed, workers, diff)
			}
			if _, err := writer.Verify(t.Context(), out, "", j.Period.String()); err != nil {
				t.Error(err)
			}
		}
	}
	if paid < 1000 || unpaid < 100 {
		t.Errorf("%d charges were paid and %d were not, want more of both", paid, unpaid)
	}
}

// checkNoCredit compares the findings no_credit with the charges that found no
// recharge to pay.
func checkNoCredit(t *testing.T, out *writertest.Mem, run string, charges []soldCharge, noCredit map[string]bool) {
	t.Helper()
	want, got := 0, 0
	for _, c := range charges {
		if noCredit[c.message] {
			want++
		}
	}
	for _, line := range strings.Split(string(out.Objects()[run+"findings.csv"]), "\n") {
		if fields := strings.Split(line, ","); fields[0] == "no_credit" {
			got++
			if !noCredit[fields[4]] {
				t.Errorf("%s had credit", line)
			}
		}
	}
	if got != want {
		t.Errorf("%d findings no_credit, want %d", got, want)
	}
}
