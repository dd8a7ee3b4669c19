package writer

import (
	"math"

	"waconcile/reconcile"
)

// rechargesOf has the recharges that paid for charges: a unit was left of each
// before, two were bought, half of one expired. One more has paid for nothing.
func rechargesOf(sums *chargeSums) *Frame {
	const unit = 1_000_000
	f := &Frame{Columns: make([]Column, len(RechargesSchema()))}
	add := func(k rechargeKey, used reconcile.Micros) {
		row := []Column{
			{Text: []string{k.account}}, {Text: []string{k.id}}, {Text: []string{k.plan}}, {Text: []string{k.currency}},
			{Int: []int64{1}}, {Int: []int64{math.MaxInt64}, Null: []bool{k.id == "r0"}},
		}
		for _, amount := range []reconcile.Micros{unit, used + 2*unit, used, unit / 2, 2*unit + unit/2} {
			row = append(row, Column{Micros: []reconcile.Micros{amount}})
		}
		f.appendRow(Frame{Rows: 1, Columns: row})
	}
	add(rechargeKey{"account-00", "r0", "list", "KWD"}, 0)
	for k, paid := range sums.paid {
		add(k, reconcile.Micros(paid.amount.sum().Shift(6).IntPart()))
	}
	return f
}

// lastPaid is when the last charge opened that the recharge of the second row
// paid.
func lastPaid(p *parts) int64 {
	row := tableRow{RechargesSchema(), p.tables[RechargesTable], 1}
	return p.sums().paid[row.rechargeKey()].last
}

// damagedRecharges is each way in which a table of recharges can be wrong.
func damagedRecharges() []damage {
	money := func(p *parts, column string) *reconcile.Micros {
		return &at(p.tables[RechargesTable], RechargesSchema(), column).Micros[1]
	}
	table := func(name string, change func(*parts)) damage {
		return damage{name: "recharges: " + name, check: "recharges", tables: change}
	}
	return []damage{
		table("opening", func(p *parts) { *money(p, "opening") += 1 }),
		table("closing", func(p *parts) { *money(p, "closing") -= 1 }),
		table("used, and closing with it", func(p *parts) {
			*money(p, "used") += 1
			*money(p, "closing") -= 1
		}),
		table("negative", func(p *parts) {
			*money(p, "expired") = -1
			*money(p, "closing") += 500_001
		}),
		table("a row is lost", func(p *parts) { *p.tables[RechargesTable] = p.tables[RechargesTable].slice(0, 1) }),
		table("a row twice", func(p *parts) {
			f := p.tables[RechargesTable]
			f.appendRow(f.slice(1, 2))
		}),
		table("expired before it was bought", func(p *parts) {
			at(p.tables[RechargesTable], RechargesSchema(), "expires_at").Int[0] = 1
			at(p.tables[RechargesTable], RechargesSchema(), "expires_at").Null[0] = false
		}),
		table("expired as a charge opened", func(p *parts) {
			at(p.tables[RechargesTable], RechargesSchema(), "expires_at").Int[1] = lastPaid(p)
		}),
		table("bought after a charge opened", func(p *parts) {
			at(p.tables[RechargesTable], RechargesSchema(), "purchased_at").Int[1] = lastPaid(p) + 1
		}),
		table("another plan", func(p *parts) { at(p.tables[RechargesTable], RechargesSchema(), "plan").Text[1] = "other" }),
		{name: "recharges: no table", check: "tables", written: func(p *parts) {
			delete(p.entries, "recharges.parquet")
			delete(p.entries, "recharges.csv")
		}},
	}
}
