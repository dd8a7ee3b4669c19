package reconcile

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// posted is charges of one price on a statement, or such that are taken back.
type posted struct {
	account  string
	quantity int64
	date     Date
	currency string // empty: without a price
	micros   Micros // 0 where it is free
	free     bool
	prepaid  bool
	back     bool
	adjusted string
}

// TestStatementsProperty: whatever the charges and their order, a statement is
// their exact sum, rounded once, by a reading in fractions.
func TestStatementsProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		accounts := drawnAccounts(rt)
		charges := rapid.SliceOfN(rapid.Custom(drawCharge), 1, 40).Draw(rt, "charges")
		at := map[string]VATAt{
			"":        rapid.SampledFrom([]VATAt{VATAtRecharge, VATAtUsage}).Draw(rt, "own"),
			"2024-05": rapid.SampledFrom([]VATAt{VATAtRecharge, VATAtUsage}).Draw(rt, "2024-05"),
		}
		got := statementsOf(rt, accounts, charges, at)
		if diff := gocmp.Diff(naiveStatements(accounts, charges, at), texts(got)); diff != "" {
			rt.Fatalf("statements (-want +got):\n%s", diff)
		}
		mixed := rapid.Permutation(charges).Draw(rt, "another order")
		if diff := gocmp.Diff(got, statementsOf(rt, accounts, mixed, at)); diff != "" {
			rt.Fatalf("in another order (-want +got):\n%s", diff)
		}
	})
}

// drawnAccounts change their VAT rate within the month, or do not; those of no
// row cover some of it alone.
func drawnAccounts(rt *rapid.T) *Accounts {
	rates := []string{"", "0", "0.04", "0.1", "0.22", "0.220000", "0.333333", "0.5"}
	first := DateOf(time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC).UnixMilli())
	var rows []Account
	for _, id := range []string{"a", "b"} {
		from := first + Date(rapid.IntRange(0, 3).Draw(rt, "first day"))
		for n := rapid.IntRange(1, 3).Draw(rt, "rates in the month"); n > 0; n-- {
			to := from + Date(rapid.IntRange(1, 15).Draw(rt, "days"))
			row := Account{ID: id, Plan: "p", Zone: NewZone(time.UTC), From: from, To: to}
			if rate := rapid.SampledFrom(rates).Draw(rt, "rate"); rate != "" {
				row.VATRate = new(decimal.RequireFromString(rate))
			}
			rows, from = append(rows, row), to
		}
	}
	accounts, err := NewAccounts(rows)
	if err != nil {
		rt.Fatal(err)
	}
	return accounts
}

// drawCharge has prices that crowd around halves of minor units.
func drawCharge(rt *rapid.T) posted {
	c := posted{
		quantity: rapid.Int64Range(1, 20).Draw(rt, "quantity"),
		account:  rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "account"),
		date:     DateOf(time.Date(2024, 7, rapid.IntRange(1, 31).Draw(rt, "day"), 0, 0, 0, 0, time.UTC).UnixMilli()),
		currency: rapid.SampledFrom([]string{"", "EUR", "EUR", "EUR", "JPY", "KWD", "CLF"}).Draw(rt, "currency"),
		prepaid:  rapid.Bool().Draw(rt, "prepaid"),
		adjusted: rapid.SampledFrom([]string{"", "", "", "2024-05", "2024-06"}).Draw(rt, "adjusted"),
		free:     rapid.IntRange(0, 5).Draw(rt, "free") == 0,
	}
	if c.adjusted != "" {
		c.back = rapid.Bool().Draw(rt, "taken back")
	}
	if c.currency != "" && !c.free {
		c.micros = rapid.SampledFrom([]Micros{0, 1, 50, 499, 500, 501, 4_999, 5_000, 5_001, 31_415, 245_000, 499_999, 500_000, 1_000_000, 999_999_999_999}).Draw(rt, "price")
	}
	return c
}

func (c posted) status() ChargeStatus {
	switch {
	case c.free:
		return Free
	case c.currency == "":
		return Unrated
	}
	return Charged
}

// signed is how many charges the posting adds.
func (c posted) signed() int64 {
	if c.back {
		return -c.quantity
	}
	return c.quantity
}

func rateOf(accounts *Accounts, c posted) *decimal.Decimal {
	if row := accounts.Of(c.account).On(c.date); row != nil {
		return row.VATRate
	}
	return nil
}

func statementsOf(rt *rapid.T, accounts *Accounts, charges []posted, at map[string]VATAt) []Statement {
	s := Statements{VATAt: at}
	for _, c := range charges {
		g := StatementGroup{
			Account: c.account, Currency: c.currency, VATRate: rateOf(accounts, c), Status: c.status(),
			Prepaid: c.prepaid, Quantity: c.signed(), Net: decimal.New(int64(c.micros), -6).Mul(decimal.NewFromInt(c.signed())), Adjusted: c.adjusted,
		}
		s.Add(g)
	}
	rows, err := s.Rows()
	if err != nil {
		rt.Fatal(err)
	}
	return rows
}

// texts are statements to compare: all that an invoice is made of.
func texts(rows []Statement) []string {
	var all []string
	for _, r := range rows {
		rate := "none"
		if r.VATRate != nil {
			rate = r.VATRate.String()
		}
		all = append(all, fmt.Sprintf("%s %q %s %q: %d charges, %d unrated, net %s = %s + %s, VAT %s, gross %s, %q",
			r.Account, r.Currency, rate, r.Adjusted, r.Charges, r.Unrated, r.Net, r.Prepaid, r.Payable, r.VAT, r.Gross, r.Note()))
	}
	return all
}

// naiveKey is the statement that a charge is on.
type naiveKey struct{ account, currency, rate, adjusted string }

type naiveSum struct {
	charges, unrated int64
	payable, prepaid big.Rat
}

// naiveStatements adds up fractions, charge by charge.
func naiveStatements(accounts *Accounts, charges []posted, at map[string]VATAt) []string {
	sums := make(map[naiveKey]*naiveSum)
	of := func(k naiveKey) *naiveSum {
		if sums[k] == nil {
			sums[k] = &naiveSum{}
		}
		return sums[k]
	}
	keyOf := func(c posted) naiveKey {
		k := naiveKey{c.account, c.currency, "none", c.adjusted}
		if rate := rateOf(accounts, c); rate != nil {
			k.rate = rate.String()
		}
		return k
	}
	for _, c := range charges {
		if c.currency != "" {
			of(keyOf(c)).post(c)
		}
	}
	homes := sortedNaive(sums)
	for _, c := range charges { // those without a currency go where there is one
		if c.currency != "" {
			continue
		}
		k := keyOf(c)
		mine := slices.DeleteFunc(slices.Clone(homes), func(h naiveKey) bool { return h.account != k.account || h.adjusted != k.adjusted })
		if i := slices.IndexFunc(mine, func(h naiveKey) bool { return h.rate == k.rate }); i >= 0 {
			k = mine[i]
		} else if len(mine) > 0 {
			k = mine[0]
		}
		of(k).post(c)
	}
	var all []string
	for _, k := range sortedNaive(sums) {
		all = append(all, sums[k].text(k, at[k.adjusted]))
	}
	return all
}

func (s *naiveSum) post(c posted) {
	s.charges += c.signed()
	if c.status() == Unrated {
		s.unrated += c.signed()
	}
	side := &s.payable
	if c.prepaid {
		side = &s.prepaid
	}
	for range c.quantity { // one by one
		side.Add(side, big.NewRat(c.signed()/c.quantity*int64(c.micros), 1_000_000))
	}
}

func (s *naiveSum) text(k naiveKey, at VATAt) string {
	places := map[string]int{"EUR": 2, "JPY": 0, "KWD": 3, "CLF": 4}[k.currency]
	payable, prepaid := halfUp(&s.payable, places), halfUp(&s.prepaid, places)
	net := new(big.Rat).Add(payable, prepaid)
	rate, vat, note := new(big.Rat), new(big.Rat), ""
	if k.rate != "none" {
		rate.SetString(k.rate)
		taxed := payable
		if at == VATAtUsage {
			taxed = net
		}
		vat = halfUp(new(big.Rat).Mul(taxed, rate), places)
		if rate.Sign() == 0 {
			note = "reverse charge"
		}
	}
	gross := new(big.Rat).Add(payable, vat)
	show := func(r *big.Rat) string { return decimal.RequireFromString(r.FloatString(places)).String() }
	return fmt.Sprintf("%s %q %s %q: %d charges, %d unrated, net %s = %s + %s, VAT %s, gross %s, %q",
		k.account, k.currency, k.rate, k.adjusted, s.charges, s.unrated, show(net), show(prepaid), show(payable), show(vat), show(gross), note)
}

// halfUp rounds half away from zero.
func halfUp(r *big.Rat, places int) *big.Rat {
	unit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil))
	scaled := new(big.Rat).Mul(new(big.Rat).Abs(r), unit)
	scaled.Add(scaled, big.NewRat(1, 2))
	whole := new(big.Rat).SetInt(new(big.Int).Quo(scaled.Num(), scaled.Denom()))
	if r.Sign() < 0 {
		whole.Neg(whole)
	}
	return whole.Quo(whole, unit)
}

func sortedNaive(sums map[naiveKey]*naiveSum) []naiveKey {
	var keys []naiveKey
	for k := range sums {
		keys = append(keys, k)
	}
	rate := func(k naiveKey) *big.Rat {
		if k.rate == "none" {
			return big.NewRat(-1, 1)
		}
		r, _ := new(big.Rat).SetString(k.rate)
		return r
	}
	slices.SortFunc(keys, func(a, b naiveKey) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.currency, b.currency), rate(a).Cmp(rate(b)), cmp.Compare(a.adjusted, b.adjusted))
	})
	return keys
}
