package reconcile

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
)

// AdjustmentKind says what an adjustment does to what is billed.
type AdjustmentKind string

// The kinds, in the order of the table.
const (
	Reversal    AdjustmentKind = "reversal"    // a billed charge is taken back: its amount is negated
	Replacement AdjustmentKind = "replacement" // a charge is billed that was not, or not so
)

// Adjustment is a row of the adjustments table: what a later run changes in a
// closed month. A charge that changes is a reversal and a replacement, never
// one row of the difference.
type Adjustment struct {
	BilledCharge
	Kind      AdjustmentKind
	SealedRun string  // runs/{period}/{run_id}/
	ID        string  // a hash of the adjusting run, the kind and the charge, in 32 hex digits
	VAT       VATRate // that the charge was billed at, or, of a replacement, is to be
}

// Quantity is what the adjustment adds to the number of charges: 1 or -1.
func (a *Adjustment) Quantity() int64 {
	if a.Kind == Reversal {
		return -1
	}
	return 1
}

// charge is the charge itself: of a reversal, as it was billed.
func (a *Adjustment) charge() BilledCharge {
	c := a.BilledCharge
	if a.Kind == Reversal {
		c.Amount = -c.Amount
	}
	return c
}

// Mark is what the adjustment adds to the mark of all that is billed.
func (a *Adjustment) Mark() Mark {
	c := a.charge()
	if a.Kind == Reversal {
		return Mark{}.Minus(c.Mark())
	}
	return c.Mark()
}

// Statement is the adjustment on the statement that takes it in: period is
// the closed month.
func (a *Adjustment) Statement(period string) StatementGroup {
	g := StatementGroup{
		Account: a.Account, Currency: a.Currency, VATRate: a.VAT.Decimal(), Prepaid: a.Recharge != "",
		Quantity: a.Quantity(), Net: a.Amount.Decimal(), Adjusted: period,
	}
	switch a.Status {
	case Free.String():
		g.Status = Free
	case Unrated.String():
		g.Status = Unrated
	}
	return g
}

// Billed is what is billed of one billing date: the charges of the run that
// was sealed, changed by the adjustments made since, in their order.
type Billed struct {
	// Sealed yields each charge of the sealed run. It is read twice where
	// charges have to be taken back; what it yields is used only until it is
	// asked for the next.
	Sealed  iter.Seq2[*BilledCharge, error]
	Earlier [][]Adjustment // of each run that adjusted the month, oldest first
	// VAT is the rate that a charge of the sealed run was billed at.
	VAT func(*BilledCharge) (VATRate, error)
}

// Adjusting names the run that adjusts and the one that was sealed.
type Adjusting struct {
	RunID     string
	SealedRun string
	VAT       func(account string, d Date) VATRate // the rate of a billing date, by the run's accounts
}

// Adjust compares what is billed with the charges of a later run: a billed
// charge that is gone or billed otherwise is reversed, a charge that is new or
// other is its replacement. Changes of messages_out, messages_in and certainty
// alone are none. The VAT rate is billed too: a charge with an amount that is
// now at another one is reversed at the old and replaced at the new. What now
// yields is used only until it is asked for the next.
//
// The adjustments are sorted in the order of their table. Of the charges that
// stay only a hash is kept meanwhile.
func (b *Billed) Adjust(now iter.Seq2[*BilledCharge, error], by Adjusting) ([]Adjustment, error) {
	l, err := b.index()
	if err != nil {
		return nil, err
	}
	var out []Adjustment
	for c, err := range now {
		if err != nil {
			return nil, err
		}
		rate := by.VAT(c.Account, c.Date)
		same, err := b.billedAt(l, c, rate)
		if err != nil {
			return nil, err
		}
		if !same || !l.settle(c) {
			out = append(out, by.adjustment(c, Replacement, rate))
		}
	}
	reversals, err := b.reversals(l, by)
	if err != nil {
		return nil, err
	}
	out = append(out, reversals...)
	slices.SortFunc(out, compareAdjustments)
	return out, nil
}

// billedAt says whether a charge, if it is billed just so, is billed at that
// VAT rate. One without an amount is at any.
func (b *Billed) billedAt(l *billedIndex, c *BilledCharge, rate VATRate) (bool, error) {
	e, billed := l.billed[idMark(c.ID)]
	if !billed || e.mark != c.Mark() || c.Amount == 0 {
		return true, nil
	}
	if e.source != sealedSource {
		return l.rates[e.rate] == rate, nil
	}
	was, err := b.VAT(c)
	return was == rate, err
}

// index enters what is billed.
func (b *Billed) index() (*billedIndex, error) {
	l := &billedIndex{billed: make(map[Mark]entry)}
	for c, err := range b.Sealed {
		if err != nil {
			return nil, err
		}
		if err := l.bill(c, sealedSource, VATRate{}); err != nil {
			return nil, err
		}
	}
	for i, adjustments := range b.Earlier {
		for j := range adjustments {
			a := &adjustments[j]
			c := a.charge()
			if a.Kind == Reversal {
				if !l.settle(&c) {
					return nil, fmt.Errorf("adjustment %s takes back charge %s, which is not billed so", a.ID, a.BilledCharge.ID)
				}
			} else if err := l.bill(&c, int32(i), a.VAT); err != nil {
				return nil, err
			}
		}
	}
	return l, nil
}

// reversals take back the charges that are still in the index.
func (b *Billed) reversals(l *billedIndex, by Adjusting) ([]Adjustment, error) {
	var out []Adjustment
	if l.sealed > 0 {
		for c, err := range b.Sealed {
			if err != nil {
				return nil, err
			}
			if !l.from(c.ID, sealedSource) {
				continue
			}
			rate, err := b.VAT(c)
			if err != nil {
				return nil, err
			}
			out = append(out, by.adjustment(c, Reversal, rate))
		}
	}
	for i, adjustments := range b.Earlier {
		for j := range adjustments {
			if a := &adjustments[j]; a.Kind == Replacement && l.from(a.BilledCharge.ID, int32(i)) {
				out = append(out, by.adjustment(&a.BilledCharge, Reversal, a.VAT))
			}
		}
	}
	if len(out) != len(l.billed) {
		return nil, fmt.Errorf("%d charges are billed and %d of them were found again", len(l.billed), len(out))
	}
	return out, nil
}

func (by *Adjusting) adjustment(c *BilledCharge, kind AdjustmentKind, rate VATRate) Adjustment {
	a := Adjustment{BilledCharge: c.kept(), Kind: kind, SealedRun: by.SealedRun, VAT: rate}
	if kind == Reversal {
		a.Amount = -a.Amount
	}
	a.ID = AdjustmentID(by.RunID, kind, c.ID)
	return a
}

// AdjustmentID is the id of the adjustment of a charge by a run.
func AdjustmentID(runID string, kind AdjustmentKind, chargeID string) string {
	var m marker
	m.text(runID)
	m.text(string(kind))
	m.text(chargeID)
	id := m.sum()
	var sum [16]byte
	binary.BigEndian.PutUint64(sum[:8], id.hi)
	binary.BigEndian.PutUint64(sum[8:], id.lo)
	return hex.EncodeToString(sum[:])
}

// compareAdjustments is the order of the table.
func compareAdjustments(a, b Adjustment) int { return a.Compare(&b) }

// Compare is the order of the adjustments table: billing_date, account_id,
// business_number, contact, opened_at, category, charge_id, and the reversal
// before the replacement.
func (a *Adjustment) Compare(b *Adjustment) int {
	return cmp.Or(
		cmp.Compare(a.Date, b.Date),
		cmp.Compare(a.Account, b.Account),
		cmp.Compare(a.Business, b.Business),
		cmp.Compare(a.Contact, b.Contact),
		cmp.Compare(a.OpenedAt, b.OpenedAt),
		cmp.Compare(a.Category, b.Category),
		cmp.Compare(a.BilledCharge.ID, b.BilledCharge.ID),
		cmp.Compare(a.Quantity(), b.Quantity()),
	)
}

// billedIndex is which charges are billed, without the charges: a hash of the id,
// a mark, and where the charge was read.
type billedIndex struct {
	billed map[Mark]entry
	sealed int       // of billed, how many are from the sealed run
	rates  []VATRate // all that adjusting runs have billed at
}

type entry struct {
	mark   Mark
	source int32 // an adjusting run, or sealedSource
	rate   int32 // place in the index's rates; of the sealed run's it is not known
}

const sealedSource = -1

func idMark(id string) Mark {
	var m marker
	m.text(id)
	return m.sum()
}

func (l *billedIndex) bill(c *BilledCharge, source int32, rate VATRate) error {
	key := idMark(c.ID)
	if _, twice := l.billed[key]; twice {
		return fmt.Errorf("charge %s is billed twice", c.ID)
	}
	e := entry{mark: c.Mark(), source: source}
	if source == sealedSource {
		l.sealed++
	} else {
		e.rate = l.place(rate)
	}
	l.billed[key] = e
	return nil
}

// place is that of a rate, of which there are few.
func (l *billedIndex) place(rate VATRate) int32 {
	at := slices.Index(l.rates, rate)
	if at < 0 {
		at = len(l.rates)
		l.rates = append(l.rates, rate)
	}
	return int32(at)
}

// settle takes a charge out of the index; it says false, and takes nothing
// out, where the charge is not billed, or not just so.
func (l *billedIndex) settle(c *BilledCharge) bool {
	key := idMark(c.ID)
	e, billed := l.billed[key]
	if !billed || e.mark != c.Mark() {
		return false
	}
	delete(l.billed, key)
	if e.source == sealedSource {
		l.sealed--
	}
	return true
}

// from says whether a charge is billed as the source has it.
func (l *billedIndex) from(id string, source int32) bool {
	e, billed := l.billed[idMark(id)]
	return billed && e.source == source
}
