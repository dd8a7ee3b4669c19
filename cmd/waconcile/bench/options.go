package bench

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"waconcile/writer"
)

// The default options.
const (
	DefaultMessages = 2_000_000
	DefaultRuns     = 3
	DefaultSeed     = 1

	runsMax = 1000
)

// Options says what to measure and with what.
type Options struct {
	Dir      string // made if it is not there; data that the same options made is used again
	Messages int    // about how many messages the month has
	Runs     int    // rounds
	Seed     uint64
	Only     []string // figures; none is all of them
	Against  string   // a shell command that answers the same from {exports}; empty is none
	Bucket   *Bucket  // nil is none

	Program string   // this program
	Environ []string // of what is measured
	Log     *slog.Logger
}

// Bucket is a place in an S3, empty at first, and how the job comes to it.
type Bucket struct {
	Place string // s3://bucket/prefix
	Store writer.GarbageStore
	Flags []string
}

// Validate checks the options.
func (o Options) Validate() error {
	switch {
	case o.Dir == "":
		return errors.New("bench needs a directory")
	case o.Runs < 1 || o.Runs > runsMax:
		return fmt.Errorf("bench runs %d: must be from 1 to %d", o.Runs, runsMax)
	case o.Messages > messagesMax || o.Messages/tenth < messagesPerDayMin*monthDays:
		return fmt.Errorf("bench messages %d: must be from %d to %d", o.Messages, tenth*messagesPerDayMin*monthDays, messagesMax)
	}
	for _, name := range o.Only {
		if !slices.Contains(Names(), name) {
			return fmt.Errorf("bench figure %q: is none of %s", name, strings.Join(Names(), ", "))
		}
	}
	return nil
}

// The days of the sets. A run of July for accounts in Rome reads from three
// days before 30 June to the day in which the last conversation ends, 1
// August, and a late day; one of the forty days from 1 July on nine days more.
// Nothing else is in the sets, so that a run reads all of what was made.
const (
	monthDays = 37
	longDays  = monthDays + 9
	tenth     = 10
)

// The sets.
const (
	monthSet = "month"
	tenthSet = "tenth"
	longSet  = "days"
)

// The periods of the sides. Those of the days figure are both read from one
// set, and so have the same messages a day and the same contacts.
const (
	monthPeriod    = "2024-07"
	fewDaysPeriod  = "2024-07-01..2024-07-04"
	manyDaysPeriod = "2024-07-01..2024-08-09"
)

// set gives the options of one set.
func (o Options) set(name string) SetOptions {
	s := SetOptions{Messages: o.Messages, Days: monthDays, Seed: o.Seed}
	switch name {
	case tenthSet:
		s.Messages /= tenth
	case longSet:
		s.Messages, s.Days = s.Messages/monthDays*longDays, longDays
	}
	return s
}
