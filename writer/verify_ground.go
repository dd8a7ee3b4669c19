package writer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"

	"waconcile/reconcile"

	"github.com/shopspring/decimal"
)

// ground is what a run stands on beside its own tables: of a run that adjusts
// a closed month the sealed run and those that adjusted it before, and the
// adjustments of earlier months that its statements take in.
type ground struct {
	sealed map[string]string // sha256 of the sealed run's files of charges, by name; nil: the run adjusts nothing
	billed billedSums        // what the charges that the run changes were billed with
	rates  rateSums          // what the sealed run's statements and the adjustments since come to
	taken  map[owedKey]*owed // adjustments that the statements take in
	runs   int

	sealedVATDue reconcile.VATAt            // when the sealed run has VAT due on what recharges pay
	vatDue       map[string]reconcile.VATAt // likewise the runs that are taken in, by the month that they adjust
}

// billedSums is what charges come to: their number, their money and a mark
// that depends on each of them.
type billedSums struct {
	charges int64
	net     map[string]decimal.Decimal // by currency
	mark    reconcile.Mark
}

// addCharges adds the rows of a frame of charges.
func (b *billedSums) addCharges(f *Frame) {
	sums := map[string]*total{}
	for c := range BilledCharges(f) {
		b.mark = b.mark.Plus(c.Mark())
		addMoney(sums, c.Currency, int64(c.Amount))
	}
	b.charges += int64(f.Rows)
	b.addNet(sums)
}

func (b *billedSums) addAdjustments(f *Frame) {
	sums := map[string]*total{}
	for a := range Adjustments(f) {
		b.mark = b.mark.Plus(a.Mark())
		b.charges += a.Quantity()
		addMoney(sums, a.Currency, int64(a.Amount))
	}
	b.addNet(sums)
}

func addMoney(sums map[string]*total, currency string, micros int64) {
	t := sums[currency]
	if t == nil {
		t = &total{spec: ColumnSpec{Type: Money}}
		sums[currency] = t
	}
	t.add(micros)
}

func (b *billedSums) addNet(sums map[string]*total) {
	if b.net == nil {
		b.net = map[string]decimal.Decimal{}
	}
	for currency, t := range sums {
		b.net[currency] = b.net[currency].Add(t.sum())
	}
}

func (b *billedSums) add(other *billedSums) {
	b.charges += other.charges
	b.mark = b.mark.Plus(other.mark)
	if b.net == nil {
		b.net = map[string]decimal.Decimal{}
	}
	for currency, net := range other.net {
		b.net[currency] = b.net[currency].Add(net)
	}
}

// adjusts says whether a file of charges is one in which the run differs from
// the sealed run: the others cancel.
func (g *ground) adjusts(f FileEntry) bool {
	return g.sealed != nil && g.sealed[f.Name] != f.SHA256
}

// openGround reads the runs that the manifest names. What is damaged is a
// check that failed; what cannot be read is an error.
func (v *verifier) openGround(ctx context.Context) error {
	v.ground = &ground{taken: map[owedKey]*owed{}, vatDue: map[string]reconcile.VATAt{}}
	err := v.readGround(ctx)
	if err == nil && v.ground.runs == 0 {
		return nil
	}
	if err != nil && !errors.Is(err, ErrVerify) {
		return fmt.Errorf("verify %s: %w", v.run, err)
	}
	v.check("runs built on", manifestName, err, fmt.Sprintf("%d, each as the manifest names it", v.ground.runs))
	return nil
}

func (v *verifier) readGround(ctx context.Context) error {
	g := v.ground
	for _, in := range v.manifest.InputsOf(SealedInput) {
		sealed, err := ReadRunInput(ctx, v.target, in)
		if err != nil {
			return err
		}
		g.runs++
		if err := v.readSealed(ctx, sealed); err != nil {
			return err
		}
	}
	for _, in := range v.manifest.InputsOf(AdjustmentsInput) {
		use := func(f *Frame) { g.billed.addAdjustments(f); g.rates.addAdjustments(f) }
		if _, err := v.readAdjustments(ctx, in, use); err != nil {
			return err
		}
	}
	for _, in := range v.manifest.InputsOf(TakenInput) {
		period, _, err := splitRun(strings.TrimSuffix(in.Key, manifestName))
		if err != nil {
			return err
		}
		m, err := v.readAdjustments(ctx, in, func(f *Frame) { g.take(f, period) })
		if err == nil {
			err = g.noteVATDue(m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readSealed reads the statements of the sealed run, and those of its charges
// whose files the run does not have in the same bytes.
func (v *verifier) readSealed(ctx context.Context, sealed *Manifest) error {
	g := v.ground
	g.sealed, g.sealedVATDue = map[string]string{}, sealed.Settings.VATDue()
	mine := map[string]string{}
	for _, f := range v.manifest.Files {
		mine[f.Name] = f.SHA256
	}
	for _, f := range sealed.Files {
		table, s, _ := sealed.SchemaOf(f.Name)
		if f.Name == StatementsTable+parquetExt {
			if err := v.readOther(ctx, sealed, f, func(frame Frame) { g.rates.addStatements(s, &frame) }); err != nil {
				return err
			}
		}
		if table != ChargesTable {
			continue
		}
		g.sealed[f.Name] = f.SHA256
		if mine[f.Name] == f.SHA256 {
			continue
		}
		if err := v.readOther(ctx, sealed, f, func(frame Frame) { g.billed.addCharges(&frame) }); err != nil {
			return err
		}
	}
	return nil
}

// readAdjustments reads the adjustments of the run that an input names, and
// gives its manifest.
func (v *verifier) readAdjustments(ctx context.Context, in Input, use func(*Frame)) (*Manifest, error) {
	m, err := ReadRunInput(ctx, v.target, in)
	if err != nil {
		return nil, err
	}
	v.ground.runs++
	for _, f := range m.Files {
		if f.Name == AdjustmentsTable+parquetExt {
			return m, v.readOther(ctx, m, f, func(frame Frame) { use(&frame) })
		}
	}
	return nil, fmt.Errorf("read %s: %w: the run has no adjustments", m.RunKey(), ErrVerify)
}

// readOther reads a table of another run if its bytes are those of that run's
// manifest.
func (v *verifier) readOther(ctx context.Context, m *Manifest, f FileEntry, use func(Frame)) (err error) {
	key := m.RunKey() + f.Name
	stored, err := v.target.Open(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read %s: %w: the file is not there", key, ErrVerify)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	defer stored.Close()
	content, err := fetch(stored)
	if err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	problem := f.checkBytes(content.size, content.sha256)
	if problem == nil {
		_, s, _ := m.SchemaOf(f.Name)
		problem = readTable(content, f, s, use)
	}
	if err := content.release(); err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	if problem != nil {
		return fmt.Errorf("read %s: %w: %w", key, ErrVerify, problem)
	}
	return nil
}

// take adds adjustments of a closed month to what the statements have to say.
func (g *ground) take(f *Frame, period string) {
	for a := range Adjustments(f) {
		key := owedKey{account: a.Account, currency: a.Currency, adjusted: period, vat: a.VAT}
		o := g.taken[key]
		if o == nil {
			money := total{spec: ColumnSpec{Type: Money}}
			o = &owed{payable: money, prepaid: money}
			g.taken[key] = o
		}
		o.charges += a.Quantity()
		if a.Status == statusUnrated {
			o.unrated += a.Quantity()
		}
		if a.Recharge == "" {
			o.payable.add(int64(a.Amount))
		} else {
			o.prepaid.add(int64(a.Amount))
		}
	}
}

// adjustmentSums is what a table of adjustments comes to, frame by frame.
type adjustmentSums struct {
	billedSums
	rates         rateSums
	runID, sealed string
	kinds         map[string]int64
	rows          int64
	last          reconcile.Adjustment
	problem       error // the first row that is wrong
}

func (v *verifier) newAdjustmentSums() *adjustmentSums {
	s := &adjustmentSums{runID: v.manifest.RunID, kinds: map[string]int64{}}
	for _, in := range v.manifest.InputsOf(SealedInput) {
		s.sealed = strings.TrimSuffix(in.Key, manifestName)
	}
	return s
}

func (s *adjustmentSums) add(f Frame) {
	s.addAdjustments(&f)
	s.rates.addAdjustments(&f)
	for a := range Adjustments(&f) {
		s.kinds[string(a.Kind)]++
		if s.problem == nil {
			if err := s.checkRow(a); err != nil {
				s.problem = fmt.Errorf("row %d: %w", s.rows, err)
			}
		}
		s.last = *a
		s.rows++
	}
}

// checkRow looks at a row by itself and at the one before.
func (s *adjustmentSums) checkRow(a *reconcile.Adjustment) error {
	switch {
	case a.Kind != reconcile.Reversal && a.Kind != reconcile.Replacement:
		return fmt.Errorf("kind %q", a.Kind)
	case a.SealedRun != s.sealed:
		return fmt.Errorf("sealed_run %s, want %s", a.SealedRun, s.sealed)
	case a.ID != reconcile.AdjustmentID(s.runID, a.Kind, a.BilledCharge.ID):
		return fmt.Errorf("adjustment id %s is not that of the run, the kind and the charge", a.ID)
	case a.Amount != 0 && (a.Amount < 0) != (a.Kind == reconcile.Reversal):
		return fmt.Errorf("amount %s of a %s", a.Amount.Decimal(), a.Kind)
	case s.rows > 0 && s.last.Compare(a) >= 0:
		return errors.New("sorts before the row above it")
	}
	return nil
}

// adjustedSides are the charges of the files that the sealed run does not have
// so, and the adjustments; these are nil where the run has no such table.
func adjustedSides(results []fileResult) (now *billedSums, made *adjustmentSums) {
	now = &billedSums{}
	for i := range results {
		if b := results[i].billed; b != nil {
			now.add(b)
		}
		if results[i].adjusted != nil {
			made = results[i].adjusted
		}
	}
	return now, made
}

// checkGround holds the adjustments of the run against what is billed and
// what it charges, and adds those that it takes in to what its statements are
// held against. It says whether the other checks make sense.
func (v *verifier) checkGround(results []fileResult, charges *chargeSums, statements *table) bool {
	maps.Copy(charges.owed, v.ground.taken)
	file := AdjustmentsTable + parquetExt
	now, made := adjustedSides(results)
	if (made != nil) != v.manifest.Adjusts() {
		v.check("tables", file, fmt.Errorf("it is there: %v; the run adjusts a closed month: %v", made != nil, v.manifest.Adjusts()), "")
		return false
	}
	if made == nil {
		return true
	}
	v.check("adjustment rows", file, made.problem, "sorted, each with its id and of the sealed run, reversals of nothing below 0")
	v.check("adjustments by kind", manifestName, unequalCounts(v.manifest.Counts.Adjustments, made.kinds), "as in the table")
	v.check("adjustment charges", file, unequal("billed + Σ adjustments", v.ground.billed.charges+made.charges, now.charges),
		fmt.Sprintf("%d = charges − billed, of the files that differ", made.charges))
	v.check("adjustment amounts", file, v.checkAdjustmentNet(now, &made.billedSums, charges), "Σ amount = charges − billed, for each currency, and as in the manifest")
	v.check("adjustment VAT", file, v.checkAdjustmentVAT(&made.rates, statements), "at each VAT rate, what was stated and the adjustments are what the run states, up to rounding")
	v.check("adjustments", file, v.checkAdjustmentMark(now, &made.billedSums), "what was billed and the adjustments are the charges, one by one")
	return true
}

// checkAdjustmentNet also holds both sides of the manifest's control totals
// against the tables. A total of nothing may be left out, and one of a currency
// that no table has is refused.
func (v *verifier) checkAdjustmentNet(now, made *billedSums, charges *chargeSums) error {
	stated := map[string]string{}
	for _, c := range v.manifest.Control {
		if currency, ok := strings.CutPrefix(c.Name, AdjustmentsControl); ok {
			stated[currency] = c.Right
		}
	}
	all := map[string]decimal.Decimal{}
	for _, side := range []*billedSums{now, made, &v.ground.billed} {
		maps.Copy(all, side.net)
	}
	for _, key := range sortedOwed(charges.owed, v.ground.rates) { // also what did not change
		if _, there := all[key.currency]; !there && key.adjusted == "" {
			all[key.currency] = decimal.Zero
		}
	}
	for _, currency := range sortedKeys(all, stated) {
		if currency == "" {
			continue // without a price
		}
		if _, known := all[currency]; !known {
			return fmt.Errorf("control total %s%s: no table has the currency", AdjustmentsControl, currency)
		}
		sum := made.net[currency]
		if err := unequalMoney(currency+": Σ amount", sum, now.net[currency].Sub(v.ground.billed.net[currency])); err != nil {
			return err
		}
		text, there := stated[currency]
		if !there && sum.IsZero() {
			continue
		}
		figure, err := reconcile.ParseDecimal(text)
		if err == nil {
			err = unequalMoney("control total "+AdjustmentsControl+currency, figure, sum)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// AdjustmentsControl and a currency name a control total: its right side is
// the sum of the adjustments.
const AdjustmentsControl = "adjustments_"

func (v *verifier) checkAdjustmentMark(now, made *billedSums) error {
	if v.ground.billed.mark.Plus(made.mark) != now.mark {
		return errors.New("a charge was billed otherwise than the adjustments say")
	}
	return nil
}
