package batch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"

	"golang.org/x/sync/errgroup"
)

// RulesVersion is the rules that this build knows. Like writer.FormatVersion
// it is part of a run's identity: a change of either makes runs of the same
// inputs new runs.
const RulesVersion = "conversation-2024-07-03"

// Plan is what a run would read and write.
type Plan struct {
	Period   Period
	Required []reconcile.Date // days that the period touches
	Read     []reconcile.Date // days with data that the run reads
	Missing  []reconcile.Date // required days without data or without their marker
	Objects  []PlannedObject
	RunID    string
	RunKey   string // runs/{period}/{run_id}/
	Already  bool   // the current run of the period has the same inputs

	span     daySpan
	days     []day
	in       *inputs
	inputsID string // identity of the period's inputs, whatever history they are read with
	settings writer.Settings
	standing *standing
}

// PlannedObject is one export file to be read.
type PlannedObject struct {
	Key      string
	Size     int64
	Day      reconcile.Date
	Identity string
}

// current is the run that the period's pointer names.
type current struct {
	pointer  *writer.Pointer
	manifest *writer.Manifest
	version  string // of the pointer
}

// NewPlan works out what job would do. It reads the tables, lists the exports
// and identifies each file, and writes nothing. Missing days are in the plan,
// not an error.
func NewPlan(ctx context.Context, job Job) (*Plan, error) {
	if err := job.Validate(); err != nil {
		return nil, err
	}
	in, err := job.readInputs(ctx)
	if err != nil {
		return nil, err
	}
	p := &Plan{Period: job.Period, in: in, settings: job.settings(in.accounts)}
	p.span = spanOf(job.Period, in.accounts.Zones(), p.settings.Lookback, job.LateDays)
	if p.days, err = job.listDays(ctx, p.span); err != nil {
		return nil, err
	}
	p.noteDays()
	if err := p.identify(ctx, job.Exports); err != nil {
		return nil, err
	}
	if p.standing, err = readStanding(ctx, job.Out, p.Period.String()); err != nil {
		return nil, err
	}
	if p.inputsID, p.RunID, err = p.identities(); err != nil {
		return nil, err
	}
	p.RunKey = writer.RunPrefix(p.Period.String(), p.RunID)
	base := p.standing.base()
	p.Already = base != nil && base.manifest.InputsSHA256 == p.inputsID
	return p, nil
}

// settings are the settings that change rows. On basis delivered a message
// may count long after it was sent, so the run reads back that far.
func (c *Config) settings(accounts *reconcile.Accounts) writer.Settings {
	lookback := c.LookbackDays
	if accounts.AnyDelivered() {
		lookback = max(lookback, c.DeliveryDays)
	}
	ignored := make([]string, 0, len(c.IgnoreTypes))
	for _, t := range c.IgnoreTypes {
		ignored = append(ignored, strings.ToLower(t))
	}
	slices.Sort(ignored)
	return writer.Settings{
		Columns:        c.Columns,
		IgnoreTypes:    slices.Compact(ignored),
		Lookback:       lookback,
		LateDays:       c.LateDays,
		DeliveryDays:   c.DeliveryDays,
		MaxRejectRatio: c.MaxRejectRatio.String(),
		AllowMissing:   c.AllowMissing,
		CompleteMarker: c.CompleteMarker,
		Rounding:       roundingRule,
	}
}

// roundingRule names how statements are rounded (contract, statements).
const roundingRule = "half_up"

// listsInFlight bounds the listings that run at once.
const listsInFlight = 8

// listDays lists the days of a span that have data, in order. Days that are
// not required and lack their marker are read all the same.
func (job *Job) listDays(ctx context.Context, span daySpan) ([]day, error) {
	all := make([]day, span.last-span.first+1)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(listsInFlight)
	for i := range all {
		date := span.first + reconcile.Date(i)
		g.Go(func() error {
			objects, err := job.Exports.List(ctx, partition(date))
			all[i] = dayOf(date, objects, job.CompleteMarker)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(d day) bool { return len(d.files) == 0 }), nil
}

func (p *Plan) noteDays() {
	for d := p.span.requiredFirst; d <= p.span.requiredLast; d++ {
		p.Required = append(p.Required, d)
	}
	p.Missing = p.span.missing(p.days)
	for _, d := range p.days {
		p.Read = append(p.Read, d.date)
		for _, o := range d.files {
			p.Objects = append(p.Objects, PlannedObject{Key: o.Key, Size: o.Size, Day: d.date})
		}
	}
}

// identify learns what each file's bytes are known by; in a directory that
// reads them all.
func (p *Plan) identify(ctx context.Context, exports reader.Source) error {
	files := p.files()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range files {
		g.Go(func() (err error) {
			p.Objects[i].Identity, err = exports.Identify(ctx, files[i])
			return err
		})
	}
	return g.Wait()
}

// files are the export files in the order of Objects.
func (p *Plan) files() []reader.Object {
	var files []reader.Object
	for _, d := range p.days {
		files = append(files, d.files...)
	}
	return files
}

// identities are the hashes of what makes two runs the same: the period's own
// inputs, with the adjustments that its statements take in; and those with the
// history read before it and, of a closed month, the runs that it adjusts.
func (p *Plan) identities() (inputsID, runID string, err error) {
	type identity struct {
		Period   string
		Objects  []PlannedObject
		Tables   []writer.Input
		Settings writer.Settings
		Rules    string
		Format   int
		Taken    []writer.Input
		Ground   []writer.Input
	}
	id := identity{Period: p.Period.String(), Tables: p.in.files, Settings: p.settings, Rules: RulesVersion, Format: writer.FormatVersion}
	if id.Taken, err = p.standing.takenInputs(); err != nil {
		return "", "", err
	}
	for _, o := range p.Objects {
		if o.Day >= p.span.requiredFirst {
			id.Objects = append(id.Objects, o)
		}
	}
	inputsID = hashOf(id)
	id.Objects = p.Objects
	if id.Ground, err = p.standing.groundInputs(); err != nil {
		return "", "", err
	}
	return inputsID, hashOf(id)[:runIDLength], nil
}

// runIDLength is the number of hex digits of a run id: 128 bits.
const runIDLength = 32

// hashOf is the sha256 of v's JSON form, which encoding/json writes in one
// order only.
func hashOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encode identity: %v", err)) // plain data always encodes
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
