package batch

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/shopspring/decimal"
)

// Config is how a run is done. The settings that change rows are part of the
// run's identity; Workers and Memory never are.
type Config struct {
	Period         Period
	Workers        int               // shards, and goroutines that fold; at least 1
	Memory         int64             // bytes that a run keeps within, in several passes if it has to; 0: no limit
	AllowMissing   bool              // go on where required days have no file
	LookbackDays   int               // days read before the period where there is no checkpoint
	LateDays       int               // days read after the last conversation of the period has ended
	DeliveryDays   int               // how long after sending a delivery may come
	MaxRejectRatio decimal.Decimal   // share of the rows that may be rejected
	IgnoreTypes    []string          // outbound types that never count
	Columns        map[string]string // contract's column name → name in the exports
	CompleteMarker string            // file that each required day must have, such as _SUCCESS; empty: none
	ExpiryDays     int               // how long before it ends a recharge is a finding
	VATAt          reconcile.VATAt   // when VAT is due on what recharges pay; a closed month keeps its own
	UnsafeStore    bool              // publish to a store that does not honour conditional writes
	// Simulation, where not nil, makes the run one of what other prices would
	// charge, below simulations/, of which nothing is billed.
	Simulation  *writer.Simulation
	InvoiceBook string // writer.SellBook or writer.CostBook, that invoices are compared with; empty: the provider's where it is given; of no use without invoices

	passes int              // of tests: that many; 0: as many as Memory needs
	tight  func(share) bool // of tests: whether a pass is to be given up for lack of memory; nil: as Memory says
}

// The defaults of the contract.
const (
	DefaultLookbackDays   = 3
	DefaultLateDays       = 1
	DefaultDeliveryDays   = 30
	DefaultExpiryDays     = 30
	DefaultMaxRejectRatio = "0.001"
)

// DefaultIgnoreTypes are the outbound types that never bill unless told
// otherwise.
func DefaultIgnoreTypes() []string { return []string{"reaction", "system", "note"} }

// The bounds of day counts: enough for any export, small enough that a
// mistyped number does not read years.
const (
	daysMax    = 400
	workersMax = 1024
)

// Validate tells what is wrong with c; the error matches ErrConfig.
func (c *Config) Validate() error {
	switch {
	case c.Period.To < c.Period.From:
		return fmt.Errorf("%w: period ends before it begins", ErrConfig)
	case c.Workers < 1 || c.Workers > workersMax:
		return fmt.Errorf("%w: workers %d is not within 1 and %d", ErrConfig, c.Workers, workersMax)
	case c.MaxRejectRatio.IsNegative() || c.MaxRejectRatio.GreaterThan(decimal.NewFromInt(1)):
		return fmt.Errorf("%w: max-reject-ratio %s is not within 0 and 1", ErrConfig, c.MaxRejectRatio)
	case c.Memory < 0:
		return fmt.Errorf("%w: memory %d is negative", ErrConfig, c.Memory)
	}
	switch c.InvoiceBook {
	case "", writer.SellBook, writer.CostBook:
	default:
		return fmt.Errorf("%w: invoice-book %q is neither %s nor %s", ErrConfig, c.InvoiceBook, writer.SellBook, writer.CostBook)
	}
	days := map[string]int{"lookback": c.LookbackDays, "late-days": c.LateDays, "delivery-days": c.DeliveryDays, "expiry-days": c.ExpiryDays}
	for _, name := range slices.Sorted(maps.Keys(days)) {
		if days[name] < 0 || days[name] > daysMax {
			return fmt.Errorf("%w: %s %d is not within 0 and %d", ErrConfig, name, days[name], daysMax)
		}
	}
	return nil
}

// Job is a Config with the places it reads from and writes to.
type Job struct {
	Config
	Program   writer.Program // what the manifest says made the run
	Exports   reader.Source
	Rates     reader.Source
	Accounts  reader.Source
	Markets   reader.Source // nil: the built-in table
	Recharges reader.Source // nil: none
	Invoices  reader.Source // nil: none

	// What the provider charges by. CostRates and CostAccounts are given both
	// or neither, the others only with them.
	CostRates    reader.Source
	CostAccounts reader.Source
	CostMarkets  reader.Source // nil: the built-in table
	Fx           reader.Source // exchange rates; nil: none

	Out writer.Store
	Log *slog.Logger
	// Progress, where not nil, is called from one goroutine at a time as rows
	// are read.
	Progress func(Progress)
	// Stages, where not nil, is told of the stages as they begin and end.
	Stages StageWatch
}

// Progress is how far a run is.
type Progress struct {
	Rows, RowsTotal int64 // of the exports; the total is known from the files' footers
	Stage           string
}

// Result is what a run has published, now or before.
type Result struct {
	RunID    string
	RunKey   string // runs/{period}/{run_id}/, or simulations/… of a simulation
	Already  bool   // the same inputs were published before; nothing was written
	Manifest *writer.Manifest
	Sealed   string    // the run that a closed month was billed by; empty: the month is open
	Waiting  []Waiting // closed months whose adjustments wait for another to be closed
	Within   []string  // closed months that a period which is no month has days of
	// Against is the manifest of the run that a simulation is to be compared
	// with; nil where there is none.
	Against *writer.Manifest
}

// Errors that the command tells apart by exit code. Errors of the data and
// the stores come from reader and writer and pass through.
var (
	ErrConfig     = errors.New("configuration")
	ErrIncomplete = errors.New("input is not complete")
	ErrControl    = errors.New("control total does not hold")
)
