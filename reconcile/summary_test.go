package reconcile

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSummary(t *testing.T) {
	t.Parallel()
	base := SummaryKey{
		Account: "A", Date: july1, Country: "IT", Market: "IT", Category: Marketing, Plan: "basic",
		UnitPrice: 61_800, Priced: true, Currency: "EUR", Status: Charged,
	}
	key := func(change func(*SummaryKey)) SummaryKey {
		k := base
		change(&k)
		return k
	}
	free := key(func(k *SummaryKey) { k.Status = Free })
	zero := key(func(k *SummaryKey) { k.UnitPrice = 0 })
	// In the order of the table.
	want := []SummaryRow{
		{SummaryKey: key(func(k *SummaryKey) { k.Country, k.Market = "", "" }), Quantity: 1, Net: dec("0.0618")},
		{SummaryKey: key(func(k *SummaryKey) { k.Plan, k.Priced, k.UnitPrice, k.Currency, k.Status = "", false, 0, "", Unrated }), Quantity: 7},
		{SummaryKey: key(func(k *SummaryKey) { k.Priced, k.UnitPrice, k.Currency, k.Status = false, 0, "", Unrated }), Quantity: 8},
		{SummaryKey: zero, Quantity: 4},
		{SummaryKey: base, Quantity: 6, Net: dec("0.3708")},
		{SummaryKey: free, Quantity: 9},
		{SummaryKey: key(func(k *SummaryKey) { k.Unit = UnitMessage }), Quantity: 1, Net: dec("0.0618")},
		{SummaryKey: key(func(k *SummaryKey) { k.Category = Utility }), Quantity: 1, Net: dec("0.0618")},
		{SummaryKey: key(func(k *SummaryKey) { k.Date++ }), Quantity: 1, Net: dec("0.0618")},
		{SummaryKey: key(func(k *SummaryKey) { k.Account = "B" }), Quantity: 1 << 40, Net: dec("67949818596.5568")},
	}
	var sum Summary
	for i, row := range want {
		half := row.Quantity / 2
		sum.Add(row.SummaryKey, half)
		sum.Add(want[len(want)-1-i].SummaryKey, want[len(want)-1-i].Quantity-want[len(want)-1-i].Quantity/2)
	}
	if diff := cmp.Diff(want, sum.Rows()); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}
