package batch

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"
)

// DiffJob compares the charges of two published runs of one period.
type DiffJob struct {
	Out  writer.Target
	A, B *writer.Manifest
	// Exports is what the runs read, as far as it is still there: it is asked
	// for the messages that made the difference. Where it is nil, the reasons
	// are those that tables and manifests tell.
	Exports reader.Source
	// Accounts tell the basis of each account: on basis sent it does not
	// matter how far a message came, unless it failed. Where it is nil any
	// change of a status or a time is taken for a reason.
	Accounts *reconcile.Accounts
}

// Costs says whether both runs have the provider's book: then what charges cost
// is compared, too.
func (job *DiffJob) Costs() bool { return job.A.Costs() && job.B.Costs() }

// DiffKind is what became of a charge on the way from run A to run B.
type DiffKind string

// The kinds. A charge is the same in both runs if its charge_id is, on
// whatever date.
const (
	Came    DiffKind = "came"    // only B has it
	Went    DiffKind = "went"    // only A has it
	Changed DiffKind = "changed" // both have it, and a column differs
)

// DiffReason is why a charge came, went or changed. The first four are about
// the messages of the charge's pair, sent before the charge expires, in those
// exports that only one of the runs read. Where another recharge pays than
// before, they are about those of the whole account, sent when the charge opens
// or before.
type DiffReason string

// The reasons.
const (
	// LateMessage: one run read a message that is in nothing that the other
	// read, though the other read that day.
	LateMessage DiffReason = "late_message"
	// StatusChanged: both runs read a message, and its status, its times or
	// what it is came out otherwise.
	StatusChanged DiffReason = "status_changed"
	// FileReplaced: it cannot be known which of these it was, since exports
	// that one of the runs read are not there any more as it read them.
	FileReplaced DiffReason = "file_replaced"
	// History: the runs read other days, or began from another checkpoint.
	History DiffReason = "history"
	// ExportsChanged: exports differ, and were not looked into.
	ExportsChanged DiffReason = "exports_changed"
	// PriceChanged: market, plan, price, amount, status, reason or recharge
	// differ, and so do the rates, accounts, markets or recharges, or the plans
	// of simulations; or those of the cost differ, and so do the provider's
	// rates, accounts or markets.
	PriceChanged DiffReason = "price_changed"
	// AccountChanged: the accounts differ, of which a basis or a time zone
	// can have done it.
	AccountChanged DiffReason = "account_changed"
	// SettingsChanged: the settings that change rows differ, or the rules or
	// the format.
	SettingsChanged DiffReason = "settings_changed"
	// Unexplained: none of these.
	Unexplained DiffReason = "unexplained"
)

// ChargeDiff is one charge that came, went or changed.
type ChargeDiff struct {
	Kind     DiffKind     `json:"kind"`
	ChargeID string       `json:"charge_id"`
	Account  string       `json:"account_id"`
	Business string       `json:"business_number"`
	Contact  string       `json:"contact"`
	Category string       `json:"category"`
	Date     string       `json:"billing_date"` // in B; in A of a charge that went
	OpenedAt string       `json:"opened_at"`    // likewise
	OpenedBy string       `json:"opened_by"`
	Reasons  []DiffReason `json:"reasons"` // sorted, never empty
	Old      *Priced      `json:"old"`     // nil of a charge that came
	New      *Priced      `json:"new"`     // nil of a charge that went
	Columns  []CellDiff   `json:"columns"` // of a charge that changed, in the order of the table
}

// Priced is what a charge costs. A charge without a price has neither.
type Priced struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

// CellDiff is a column of a charge that changed; nil is null.
type CellDiff struct {
	Name string  `json:"name"`
	Old  *string `json:"old"`
	New  *string `json:"new"`
}

// ReasonText is the reasons as tables show them, separated by spaces.
func (d *ChargeDiff) ReasonText() string {
	texts := make([]string, len(d.Reasons))
	for i, r := range d.Reasons {
		texts[i] = string(r)
	}
	return strings.Join(texts, " ")
}

// Diff compares the charges of two runs and hands every one that came, went or
// changed to yield, by dates, and within a date by account, business number,
// contact and opening. Dates whose files are the same are not read. Of all
// others it keeps the charges of one date in memory, and those that have moved
// to another date until both sides are met.
//
// What it found is held against the manifests: rows and amounts that came and
// went must be the difference of theirs, else the error matches ErrControl. A
// file that is not what its manifest says matches writer.ErrVerify.
func Diff(ctx context.Context, job DiffJob, yield func(*ChargeDiff) error) (*DiffTotals, error) {
	if job.A.Period != job.B.Period {
		return nil, fmt.Errorf("%w: a run of %s and one of %s have no charges in common", ErrConfig, job.A.Period, job.B.Period)
	}
	d := newDiffer(&job)
	of, err := d.affected(ctx)
	if err != nil {
		return nil, err
	}
	why := newDiffReasons(&job)
	if err := why.readExports(ctx, of); err != nil {
		return nil, err
	}
	totals := newDiffTotals()
	err = d.each(ctx, func(kind DiffKind, a, b *chargeAt) error {
		diff := d.describe(kind, a, b)
		diff.Reasons = why.of(d, diff, a, b)
		totals.add(d, diff, a, b)
		return yield(diff)
	})
	if err != nil {
		return nil, err
	}
	return totals, totals.check(d)
}

// differ finds what differs. It goes through the tables twice: once to learn
// which charges have moved to another date and which pairs are affected, and
// once to tell.
type differ struct {
	job    *DiffJob
	schema writer.Schema // of the columns that both runs have
	column diffColumns
	moved  map[string]bool // charge ids that both runs have, on different dates
}

// diffColumns are the places of columns in the table of charges.
type diffColumns struct {
	id, account, business, contact, category, openedAt, expiresAt, date, openedBy, recharge int

	sale, cost priceColumns // cost: only where both runs have it
}

type priceColumns struct{ currency, amount int }

func newDiffer(job *DiffJob) *differ {
	s := writer.ChargesSchema()
	d := &differ{job: job, moved: make(map[string]bool)}
	if job.Costs() {
		s = writer.CostChargesSchema()
	}
	at := func(name string) int {
		return slices.IndexFunc(s, func(c writer.ColumnSpec) bool { return c.Name == name })
	}
	d.schema, d.column = s, diffColumns{
		id: at("charge_id"), account: at("account_id"), business: at("business_number"), contact: at("contact"),
		category: at("category"), openedAt: at("opened_at"), expiresAt: at("expires_at"), date: at("billing_date"),
		openedBy: at("opened_by"), recharge: at("recharge_id"),
		sale: priceColumns{at("currency"), at("amount")}, cost: priceColumns{at("cost_currency"), at("cost_amount")},
	}
	return d
}

// affected is what the exports are asked for.
type affected struct {
	pairs   map[uint64]bool // of all charges that came, went or changed, by hash
	drawing map[string]bool // accounts with a charge that another recharge pays for, or none any more
}

// draws notes the account of a charge that is in both runs, and the recharges
// that pay for it there; empty stands for none.
func (a *affected) draws(account, before, now string) {
	if before != now {
		a.drawing[strings.Clone(account)] = true
	}
}

// affected learns which charges have moved, and which pairs and accounts the
// messages that made a difference can be of.
func (d *differ) affected(ctx context.Context) (*affected, error) {
	of := &affected{make(map[uint64]bool), make(map[string]bool)}
	alone := map[DiffKind]map[string]string{Came: {}, Went: {}} // ids of charges, and the recharge that pays
	other := map[DiffKind]DiffKind{Came: Went, Went: Came}
	err := d.each(ctx, func(kind DiffKind, a, b *chargeAt) error {
		c := b
		if kind == Went {
			c = a
		}
		of.pairs[d.pairHash(c)] = true
		account, id, recharge := c.text(d.column.account), c.text(d.column.id), c.textOrNone(d.column.recharge)
		if kind == Changed {
			of.draws(account, a.textOrNone(d.column.recharge), recharge)
			return nil
		}
		if before, met := alone[other[kind]][id]; met {
			delete(alone[other[kind]], id)
			d.moved[strings.Clone(id)] = true
			of.draws(account, before, recharge)
		} else {
			alone[kind][strings.Clone(id)] = strings.Clone(recharge)
		}
		return nil
	})
	return of, err
}

func (d *differ) pairHash(c *chargeAt) uint64 {
	return pairHash(c.text(d.column.account), c.text(d.column.business), c.text(d.column.contact))
}

// chargeFiles are the files of charges of a run by their date.
func chargeFiles(m *writer.Manifest) map[string][]writer.FileEntry {
	files := make(map[string][]writer.FileEntry)
	for _, f := range m.Files {
		if table, _, ok := writer.SchemaOf(f.Name); ok && table == writer.ChargesTable {
			date := path.Base(path.Dir(f.Name))
			files[date] = append(files[date], f)
		}
	}
	return files
}

func sameFiles(a, b []writer.FileEntry) bool {
	return slices.EqualFunc(a, b, func(x, y writer.FileEntry) bool { return x.Name == y.Name && x.SHA256 == y.SHA256 })
}

// each hands every charge that came, went or changed to use, date by date. Of
// a charge that has moved it does so where the second side is met.
func (d *differ) each(ctx context.Context, use func(kind DiffKind, a, b *chargeAt) error) error {
	inA, inB := chargeFiles(d.job.A), chargeFiles(d.job.B)
	dates := slices.Collect(maps.Keys(inA))
	dates = slices.AppendSeq(dates, maps.Keys(inB))
	slices.Sort(dates)
	waiting := make(map[string]*chargeAt)
	for _, date := range slices.Compact(dates) {
		if sameFiles(inA[date], inB[date]) {
			continue
		}
		a, err := d.load(ctx, d.job.A, inA[date])
		if err != nil {
			return err
		}
		b, err := d.load(ctx, d.job.B, inB[date])
		if err != nil {
			return err
		}
		for _, c := range d.join(a, b) {
			if c = d.meet(waiting, c); c.kind == "" {
				continue
			}
			if err := use(c.kind, c.a, c.b); err != nil {
				return err
			}
		}
	}
	return nil
}

// meet brings both sides of a charge that has moved together. Of the first it
// keeps a copy, and gives nothing.
func (d *differ) meet(waiting map[string]*chargeAt, c joined) joined {
	if c.kind == Changed || !d.moved[c.either().text(d.column.id)] {
		return c
	}
	id := c.either().text(d.column.id)
	first, ok := waiting[id]
	if !ok {
		waiting[strings.Clone(id)] = c.either().copied()
		return joined{}
	}
	delete(waiting, id)
	if c.a == nil {
		return joined{Changed, first, c.b}
	}
	return joined{Changed, c.a, first}
}
