package batch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"
)

// RulesVersion is the rules that this build knows. Like writer.FormatVersion
// it is part of a run's identity: a change of either makes runs of the same
// inputs new runs.
const RulesVersion = "conversation-2024-07-03"

// Plan is what a run would read and write. Where the run is published already,
// Read and Objects are not those of a run: its manifest has them.
type Plan struct {
	Period   Period
	Required []reconcile.Date // days that the period touches
	Read     []reconcile.Date // days with data that the run reads
	Missing  []reconcile.Date // required days without data or without their marker
	Objects  []PlannedObject
	RunID    string
	RunKey   string // runs/{period}/{run_id}/, or simulations/… of a simulation
	Already  bool   // the current run of the period has the same inputs, or the same simulation is there

	span            daySpan
	purchase        purchase
	rechargeHistory *writer.RechargeHistory // nil where no charge draws on recharges
	exports         *exportDays
	start           *start // nil where the run reads back
	names           *reader.Names
	days            []day
	in              *inputs
	inputsID        string // identity of the period's inputs, whatever history they are read with
	settings        writer.Settings
	standing        *standing

	simulation *writer.Simulation // nil: the run is none
	against    *writer.Manifest   // of a simulation, the run that counts; nil where there is none
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
// and identifies each file, looks for a checkpoint, and writes nothing. Missing
// days are in the plan, not an error.
func NewPlan(ctx context.Context, job Job) (*Plan, error) {
	var p *Plan
	err := job.stage(StagePlan, func(end *StageEnd) (err error) {
		if p, err = newPlan(ctx, &job); err == nil {
			end.count("input_files", int64(len(p.in.files)))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = job.stage(StageStart, func(end *StageEnd) error {
		if err := p.chooseStart(ctx, &job); err != nil {
			return err
		}
		end.RunID = p.RunID
		p.countDays(end)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// newPlan is a plan that does not know yet how far back it reads.
func newPlan(ctx context.Context, job *Job) (*Plan, error) {
	if err := job.Validate(); err != nil {
		return nil, err
	}
	if err := job.validateBooks(); err != nil {
		return nil, err
	}
	in, err := job.readInputs(ctx)
	if err != nil {
		return nil, err
	}
	if err := in.simulate(job.Simulation); err != nil {
		return nil, err
	}
	p := &Plan{Period: job.Period, in: in, settings: job.settings(in.accounts), names: reader.NewNames(), simulation: job.Simulation}
	if in.has(writer.InvoicesInput) {
		p.settings.InvoiceBook = job.invoiceBook()
	}
	p.span = spanOf(job.Period, in.accounts.Zones(), p.settings.Lookback, job.LateDays)
	if p.purchase = firstPurchase(in.recharges, &p.span); p.purchase.made {
		p.span.first = min(p.span.first, reconcile.DateOf(p.purchase.at)-reconcile.Date(p.settings.Lookback))
	}
	p.exports = newExportDays(job)
	if err := p.exports.list(ctx, p.span.first, p.span.last); err != nil {
		return nil, err
	}
	if err := p.exports.identify(ctx, p.span.requiredFirst, p.span.last); err != nil {
		return nil, err
	}
	if err := p.readHistory(ctx); err != nil {
		return nil, err
	}
	if p.standing, err = job.readStanding(ctx); err != nil {
		return nil, err
	}
	if err := p.keepVATDue(ctx, job); err != nil {
		return nil, err
	}
	if p.inputsID, err = p.identity(p.exports.objects(p.span.requiredFirst, p.span.last), nil); err != nil {
		return nil, err
	}
	if err := p.findSimulation(ctx, job); err != nil {
		return nil, err
	}
	base := p.standing.base()
	p.Already = base != nil && p.sameInputs(base.manifest)
	return p, nil
}

// chooseStart decides how far back the run reads, and so which run it is. A
// run that is published already reads nothing: it is the run that is there.
func (p *Plan) chooseStart(ctx context.Context, job *Job) (err error) {
	if p.Already {
		p.noteDays(p.span.requiredFirst)
		base := p.standing.base()
		p.RunID, p.RunKey = base.manifest.RunID, base.pointer.Run
		return nil
	}
	first, with := p.span.first, &history{}
	if with.Ground, err = p.standing.groundInputs(); err != nil {
		return err
	}
	if p.start, err = p.findStart(ctx, job); err != nil {
		return err
	}
	if p.start != nil {
		first, with.Checkpoint = p.start.header.At(), p.start.key
	}
	if err := p.exports.identify(ctx, first, p.span.last); err != nil {
		return err
	}
	p.noteDays(first)
	p.noteGaps(ctx, job)
	id, err := p.identity(p.Objects, with)
	p.RunID = id[:runIDLength]
	p.RunKey = writer.RunPrefix(p.Period.String(), p.RunID)
	if p.simulation != nil {
		p.RunKey = writer.SimulationPrefix(p.Period.String(), p.RunID)
	}
	return err
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
		ExpiryDays:     c.ExpiryDays,
		AllowMissing:   c.AllowMissing,
		CompleteMarker: c.CompleteMarker,
		Rounding:       roundingRule,
		VATAt:          c.VATAt.String(),
	}
}

// roundingRule names how statements are rounded (contract, statements).
const roundingRule = "half_up"

// noteDays settles the days that are read, from first on.
func (p *Plan) noteDays(first reconcile.Date) {
	for d := p.span.requiredFirst; d <= p.span.requiredLast; d++ {
		p.Required = append(p.Required, d)
	}
	p.days = p.exports.present(first, p.span.last)
	p.Missing = p.span.missing(p.days)
	for _, d := range p.days {
		p.Read = append(p.Read, d.date)
	}
	p.Objects = p.exports.objects(first, p.span.last)
}

// countDays counts what the run reads, and what it lacks.
func (p *Plan) countDays(end *StageEnd) {
	var bytes int64
	for _, o := range p.Objects {
		bytes += o.Size
	}
	end.count("days", int64(len(p.Read)))
	end.count(CountDaysMissing, int64(len(p.Missing)))
	end.count("files", int64(len(p.Objects)))
	end.count("bytes", bytes)
}

// files are the export files in the order of Objects.
func (p *Plan) files() []reader.Object {
	var files []reader.Object
	for _, d := range p.days {
		files = append(files, d.files...)
	}
	return files
}

// history is what a run's identity has beyond its period's inputs: the
// checkpoint that it starts from and, of a closed month, the runs that it
// adjusts.
type history struct {
	Checkpoint string
	Ground     []writer.Input
}

// identity is a hash of what makes two runs the same: of the period's own
// inputs, with the adjustments that its statements take in, or also of the
// history that they are read with.
func (p *Plan) identity(objects []PlannedObject, with *history) (string, error) {
	taken, err := p.standing.takenInputs()
	return hashOf(struct {
		Period   string
		Objects  []PlannedObject
		Tables   []writer.Input
		Settings writer.Settings
		Rules    string
		Format   int
		Taken    []writer.Input
		History  *history

		Simulation *writer.Simulation `json:",omitempty"` // the identities of all other runs are as if there were none
	}{p.Period.String(), objects, p.in.files, p.settings, RulesVersion, writer.FormatVersion, taken, with, p.simulation}), err
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
