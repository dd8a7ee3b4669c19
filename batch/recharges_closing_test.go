package batch

import "testing"

// A late charge of a closed month takes of a recharge before others do: what
// they were paid by is adjusted, and the next month is another run, since less
// is left for it.
func TestClosedMonthPrepaid(t *testing.T) {
	eachPlace(t, func(t *testing.T, b *books) {
		b.rates = bookRates + "pre,*,marketing,conversation,0.05,EUR,2024-01-01,\n"
		b.recharges = "recharge_id,account_id,plan,purchased_at,net_amount,currency,expires_at\n" +
			"R1,acme,pre,2024-07-01T00:00:00Z,0.15,EUR,\n"
		billed := b.fresh("2024-07")
		b.wantStatements(billed, "own 2 0.1 0")
		b.close("2024-07")
		b.wantStatements(b.fresh("2024-08"), "own 2 0.15 0.12") // one at 0.05 by R1, one at 0.10

		b.put("late", b.message("39100000003", "2024-07-10"))
		adjusting := b.fresh("2024-07")
		b.wantAdjustments(adjusting, "replacement 39100000003 2024-07-10 0.05")
		b.idle("2024-07")
		b.wantStatements(b.fresh("2024-08"), "own 2 0.2 0.24", "2024-07 1 0.05 0")
		b.idle("2024-08")

		b.put("later", b.message("39100000004", "2024-07-11"))
		b.wantAdjustments(b.fresh("2024-07"), "replacement 39100000004 2024-07-11 0.05",
			"reversal 39100000002 2024-07-20 -0.05", "replacement 39100000002 2024-07-20 0.1")
		b.wantStatements(b.fresh("2024-08"), "own 2 0.2 0.24", "2024-07 2 0.15 0.12")
	})
}
