package metrics

import (
	"time"

	"github.com/shopspring/decimal"
)

// Report is what a run has to say of itself.
type Report struct {
	Ended       time.Time
	Took        time.Duration
	ExitCode    int
	Stages      []Stage
	PeakBytes   int64      // resident; 0: not known
	DaysMissing *int64     // nil: it did not get as far as to know
	Published   *Published // nil: it failed, or its tables could not be read back
	Unread      bool       // without Published: it is published, and its tables could not be read back
}

// Stage is how long a stage took; one that came twice took both times.
type Stage struct {
	Name string
	Took time.Duration
}

// Published are the figures of a run that is published, now or before.
type Published struct {
	First, Until   time.Time // of the period's billing dates, at midnight UTC; Until is the day after the last
	Rows, Messages int64
	Rejects        map[string]int64 // rows by reason
	Charges        []Charges
	Net            []Money // of the statements, before VAT
	Differences    []Difference
	Unexplained    []Money
	Findings       map[string]int64 // rows by kind
	Unsealed       *Month           // the oldest month that has ended, has something published and is not closed; nil: there is none, or it is not known
	UnsealedKnown  bool             // false: the months could not be listed
}

// Charges is a number of charges that are alike.
type Charges struct {
	Category, Status string
	Count            int64
}

// Money is an amount in a currency.
type Money struct {
	Currency string
	Amount   decimal.Decimal
}

// Difference is what the rows of the differences of a class come to in a
// currency: a positive amount was billed too much.
type Difference struct {
	Class, Currency string
	Rows            int64
	Amount          decimal.Decimal
	Absolute        decimal.Decimal // sum of the rows without their signs
}

// Month is a month of billing dates; Until is the first day of the next.
type Month struct{ First, Until time.Time }
