package batch

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"waconcile/reconcile"
	"waconcile/writer"
)

// diffReasons tells why charges differ.
type diffReasons struct {
	job *DiffJob

	// What the manifests tell.
	prices   bool // rates, accounts, markets or recharges differ, or the plans of simulations
	costs    bool // the provider's rates, accounts or markets differ
	accounts bool
	settings bool
	history  bool
	exports  exportSets

	// What the exports tell, where they were asked.
	asked    bool
	unknown  bool                 // some that one of the runs read are not there any more
	messages map[uint64]firstSent // by hash of the pair
	drawing  map[string]firstSent // by account, of those on whose recharges charges draw otherwise
}

// firstSent is when the first message of each reason was sent.
type firstSent map[DiffReason]int64

func (f firstSent) add(reason DiffReason, sent int64) {
	if first, ok := f[reason]; !ok || sent < first {
		f[reason] = sent
	}
}

// upTo are the reasons of messages sent at an instant or before. Days that one
// run alone read count where nothing else does.
func (f firstSent) upTo(until int64) []DiffReason {
	var reasons []DiffReason
	for reason, sent := range f {
		if sent <= until {
			reasons = append(reasons, reason)
		}
	}
	if len(reasons) > 1 {
		reasons = slices.DeleteFunc(reasons, func(reason DiffReason) bool { return reason == History })
	}
	return reasons
}

func newDiffReasons(job *DiffJob) *diffReasons {
	a, b := job.A, job.B
	r := &diffReasons{job: job, exports: newExportSets(a, b), messages: make(map[uint64]firstSent), drawing: make(map[string]firstSent)}
	r.accounts = inputsDiffer(a, b, writer.AccountsInput)
	differ := func(tables ...string) bool {
		return slices.ContainsFunc(tables, func(table string) bool { return inputsDiffer(a, b, table) })
	}
	r.prices = r.accounts || differ(writer.RatesInput, writer.MarketsInput, writer.RechargesInput) || simulatedPlan(a) != simulatedPlan(b)
	r.costs = differ(writer.CostRatesInput, writer.CostAccountsInput, writer.CostMarketsInput)
	r.settings = !sameSettings(a, b)
	r.history = !slices.Equal(a.DaysRead, b.DaysRead) || a.Settings.Lookback != b.Settings.Lookback || !sameText(a.Checkpoint, b.Checkpoint)
	return r
}

// inputsDiffer compares the files of one table, whatever they are called.
func inputsDiffer(a, b *writer.Manifest, table string) bool {
	identities := func(m *writer.Manifest) []string {
		var all []string
		for _, in := range m.InputsOf(table) {
			all = append(all, in.Identity)
		}
		slices.Sort(all)
		return all
	}
	return !slices.Equal(identities(a), identities(b))
}

func sameText(a, b *string) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

func sameSettings(a, b *writer.Manifest) bool {
	x, y := a.Settings, b.Settings
	same := maps.Equal(x.Columns, y.Columns) && slices.Equal(x.IgnoreTypes, y.IgnoreTypes)
	x.Columns, x.IgnoreTypes, y.Columns, y.IgnoreTypes = nil, nil, nil, nil
	x.Lookback, y.Lookback = 0, 0 // that is history
	return same && x.LateDays == y.LateDays && x.DeliveryDays == y.DeliveryDays && x.MaxRejectRatio == y.MaxRejectRatio &&
		x.AllowMissing == y.AllowMissing && x.CompleteMarker == y.CompleteMarker && x.Rounding == y.Rounding && x.VATDue() == y.VATDue() &&
		a.RulesVersion == b.RulesVersion && a.FormatVersion == b.FormatVersion
}

// of gives the reasons of a charge that differs, sorted.
func (r *diffReasons) of(d *differ, diff *ChargeDiff, a, b *chargeAt) []DiffReason {
	priced, drawn, others := r.byTables(diff)
	var reasons []DiffReason
	if others {
		reasons = r.messageReasons(d, a, b)
	}
	if drawn {
		reasons = append(reasons, r.drawReasons(diff.Account, b.int(d.column.openedAt), priced)...)
	}
	if priced {
		reasons = append(reasons, PriceChanged)
	}
	if len(reasons) == 0 {
		reasons = r.candidates(diff)
	}
	slices.Sort(reasons)
	return slices.Compact(reasons)
}

// byTables tells what can have changed the columns of a charge that opened when
// it did before: priced, other tables of the book that a column is of; drawn,
// another recharge that pays, because of other tables or of what the account's
// charges before have taken; others, none of these. All is others in a charge
// that came or went, or opened at another time.
func (r *diffReasons) byTables(diff *ChargeDiff) (priced, drawn, others bool) {
	if diff.Kind != Changed || diff.changed("opened_at") {
		return false, false, true
	}
	drawn = diff.changed("recharge_id")
	for _, c := range diff.Columns {
		name, cost := strings.CutPrefix(c.Name, costPrefix)
		byTable := cost && r.costs || !cost && r.prices
		switch {
		case !isPriceColumn(name):
			others = true
		case byTable:
			priced = true
		case cost || !drawn:
			others = true
		}
	}
	return priced, drawn, others
}

// costPrefix begins the columns of what the provider charges.
const costPrefix = "cost_"

func (d *ChargeDiff) changed(column string) bool {
	return slices.ContainsFunc(d.Columns, func(c CellDiff) bool { return c.Name == column })
}

// isPriceColumn: a charge that opened when it did before has other values
// there by other tables, or because another recharge pays.
func isPriceColumn(name string) bool {
	switch name {
	case "market", "country", "plan", "unit_price", "currency", "amount", "status", "reason", "recharge_id":
		return true
	}
	return false
}

// messageReasons are those of the pair's messages that can bear on a charge:
// sent before it expires.
func (r *diffReasons) messageReasons(d *differ, a, b *chargeAt) []DiffReason {
	until := reconcile.NoTime
	var pair uint64
	for _, c := range []*chargeAt{a, b} {
		if c == nil {
			continue
		}
		pair = d.pairHash(c)
		expires := c.int(d.column.openedAt) + reconcile.DayMillis
		if !c.null(d.column.expiresAt) {
			expires = c.int(d.column.expiresAt)
		}
		until = max(until, expires)
	}
	return r.messages[pair].upTo(until - 1)
}

// drawReasons are those of an account's messages that can bear on which
// recharge pays for a charge, of whatever pair: sent when it opens or before.
// Where tables can have done it, exports that are gone or were not looked into
// still can, too.
func (r *diffReasons) drawReasons(account string, openedAt int64, priced bool) []DiffReason {
	reasons := r.drawing[account].upTo(openedAt)
	switch {
	case len(reasons) > 0 || !priced:
		return reasons
	case r.asked && r.unknown:
		return []DiffReason{FileReplaced}
	case !r.asked && r.exports.differ():
		return []DiffReason{ExportsChanged}
	}
	return nil
}

// candidates are what else can have done it, where no message of the pair did.
func (r *diffReasons) candidates(diff *ChargeDiff) []DiffReason {
	certainty := len(diff.Columns) == 1 && diff.Columns[0].Name == "certainty"
	if certainty && r.history {
		return []DiffReason{History}
	}
	var reasons []DiffReason
	for _, c := range []struct {
		holds  bool
		reason DiffReason
	}{
		{r.accounts, AccountChanged}, {r.settings, SettingsChanged}, {r.history, History},
		{r.asked && r.unknown, FileReplaced}, {!r.asked && r.exports.differ(), ExportsChanged},
	} {
		if c.holds {
			reasons = append(reasons, c.reason)
		}
	}
	if len(reasons) == 0 {
		return []DiffReason{Unexplained}
	}
	return reasons
}

// found notes that a message, sent at an instant, is a reason.
func (r *diffReasons) found(m *diffMessage, reason DiffReason, sent int64) {
	if r.messages[m.pair] == nil {
		r.messages[m.pair] = make(firstSent)
	}
	r.messages[m.pair].add(reason, sent)
	if r.drawing[m.account] == nil {
		r.drawing[m.account] = make(firstSent)
	}
	r.drawing[m.account].add(reason, sent)
}

// exportSets is which of the two runs read what: bit 1 is A, bit 2 is B.
type exportSets struct {
	objects []exportObject
	known   [2]map[reconcile.Date]bool // days that the run read, or needed and found missing
}

type exportObject struct {
	key, identity string
	day           reconcile.Date
	in            sides
}

// sides is a set of runs.
type sides uint8

const (
	sideA sides = 1 << iota
	sideB
	bothSides = sideA | sideB
)

func newExportSets(a, b *writer.Manifest) exportSets {
	type object struct{ key, identity string }
	in := make(map[object]sides)
	var s exportSets
	for i, m := range []*writer.Manifest{a, b} {
		for _, o := range m.InputsOf(writer.ExportsInput) {
			in[object{o.Key, o.Identity}] |= sideA << i
		}
		s.known[i] = make(map[reconcile.Date]bool)
		for _, text := range slices.Concat(m.DaysRead, m.DaysMissing) {
			if day, err := reconcile.ParseDate(text); err == nil {
				s.known[i][day] = true
			}
		}
	}
	for o, from := range in {
		day, err := dateOfKey(o.key)
		if err != nil {
			day = reconcile.MinDate
		}
		s.objects = append(s.objects, exportObject{o.key, o.identity, day, from})
	}
	slices.SortFunc(s.objects, func(x, y exportObject) int {
		return cmp.Or(strings.Compare(x.key, y.key), strings.Compare(x.identity, y.identity))
	})
	return s
}

// differ says whether one of the runs read what the other did not.
func (s *exportSets) differ() bool {
	return slices.ContainsFunc(s.objects, func(o exportObject) bool { return o.in != bothSides })
}

// readExports asks the exports for the messages that can have made charges
// differ.
func (r *diffReasons) readExports(ctx context.Context, of *affected) error {
	if r.job.Exports == nil {
		return nil
	}
	r.asked = true
	if !r.exports.differ() || len(of.pairs) == 0 {
		return nil
	}
	e, err := newDiffExports(r, of)
	if err != nil {
		return err
	}
	return e.read(ctx)
}
