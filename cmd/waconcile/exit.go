package main

import (
	"context"
	"errors"
	"strings"

	"waconcile/batch"
	"waconcile/cmd/waconcile/bench"
	"waconcile/reader"
	"waconcile/writer"
)

// The exit codes of the contract.
const (
	exitOK         = 0
	exitUnexpected = 1
	exitUsage      = 2
	exitFailOn     = 3
	exitData       = 4
	exitIncomplete = 5
	exitStore      = 6
	exitOutcome    = 7
	exitConflict   = 8
	exitVerify     = 9
	exitInterrupt  = 130
	exitTerminate  = 143
)

var (
	// errUsage: a command line or a setting that cannot be followed.
	errUsage = errors.New("usage")
	// errFailOn: a run is published and has what --fail-on names.
	errFailOn = errors.New("--fail-on is met")
	// errPublished: a run is published, and what came after that failed.
	errPublished = errors.New("the run is published")
	// errNoSuchRun: a run that the command line names is not there.
	errNoSuchRun = errors.New("no such run")
	// errMoved: a month that was to be closed was run meanwhile. The same
	// command again would close it with a run that nobody has looked at.
	errMoved = errors.New("not closed")
	// errLint: tables that a run would take, and by which charges would be
	// unrated or wrong.
	errLint = errors.New("the tables have errors")
	// errDisk: the demo or bench could not write its data.
	errDisk = errors.New("storage")
)

// outcome is what an error means: the exit code, and what a person does next.
type outcome struct {
	err         error
	code        int
	unpublished bool // it is certain that nothing was published
	next        string
}

// outcomes is asked from the top: where an error matches several, the one
// that says most about what is published comes first.
func outcomes() []outcome {
	const (
		again   = "run the same command again"
		storage = "check the place, its credentials and the network, and run again"
		setting = "correct the command line or the setting; waconcile run --help lists them all"
	)
	return []outcome{
		{errFailOn, exitFailOn, false, "the run is published: look into its differences and findings tables"},
		{batch.ErrDamaged, exitVerify, false, "waconcile verify tells what is left of it: restore the file from a backup or an older version of it, or publish into another place"},
		{errLint, exitFailOn, false, "correct the rows that are named: a run would take them, and leave charges unrated or charge them wrongly"},
		{batch.ErrUnrated, exitFailOn, false, "correct the rows that are named: a run would take them, and leave charges unrated or charge them wrongly"},
		{errPublished, exitStore, false, again + " for its summary"},
		{writer.ErrOutcomeUnknown, exitOutcome, false, "the run may or may not be published: " + again + ", which is safe"},
		{errInterrupted, exitInterrupt, true, again},
		{errTerminated, exitTerminate, true, again},
		{errNoSuchRun, exitUsage, false, "name a run that is published by its key, or with --period by its id or as current, previous, sealed or adjusted"},
		{batch.ErrNotKept, exitVerify, true, again + ", which writes it anew; if it fails as well, the store loses or changes what it is given"},
		{writer.ErrBeside, exitVerify, false, "the run itself is right: restore the object that is named from a backup or an older version of it, and verify again"},
		{writer.ErrVerify, exitVerify, false, "do not use this run; find out what changed it, and publish anew into another place"},
		{errMoved, exitConflict, false, "look at the run that is current now, and close the month if that is what is to be billed"},
		{writer.ErrConflict, exitConflict, false, "another run of the period was published meanwhile: " + again},
		{batch.ErrConfig, exitUsage, false, setting},
		{errUsage, exitUsage, false, setting},
		{batch.ErrUnpublished, exitUsage, false, "publish the month with waconcile run first"},
		{batch.ErrUnfinished, exitIncomplete, true, "bring the missing days and run the month again"},
		{batch.ErrIncomplete, exitIncomplete, true, "bring the missing days, or go on without them by --allow-missing"},
		{reader.ErrInput, exitUsage, true, "correct the input and run again"},
		{reader.ErrChanged, exitStore, true, "wait until the exports are complete and run again"},
		{reader.ErrData, exitData, true, "replace the exports and run again"},
		{writer.ErrUnsafeStore, exitStore, true, "use a store that honours conditional writes, or --unsafe-store where only one run is under way at a time"},
		{reader.ErrStore, exitStore, true, storage},
		{writer.ErrRemoving, exitStore, true, "wait for gc, or where none is at work end it with waconcile gc --delete from an hour after it began, then run again"},
		{writer.ErrStore, exitStore, true, storage},
		{errDisk, exitStore, true, storage},
		{bench.ErrProcess, exitUnexpected, false, "run that command by itself; with --dir its data stays"},
	}
}

// advice is what to do next; after a command that publishes it begins with
// what became of that.
func (o outcome) advice(publishes bool) string {
	if publishes && o.unpublished {
		return "nothing was published; " + o.next
	}
	return o.next
}

// judge tells what err means. The context of the command knows whether a
// signal came, which counts for more than what it broke, except where the
// commit was under way.
func judge(ctx context.Context, err error) outcome {
	if err == nil {
		return outcome{code: exitOK}
	}
	if ctx.Err() != nil {
		err = errors.Join(err, context.Cause(ctx))
	}
	for _, o := range outcomes() {
		if errors.Is(err, o.err) {
			return o
		}
	}
	return outcome{code: exitUnexpected, unpublished: true, next: "please report this with the lines above"}
}

// oneLine is the text of an error without line breaks, and without the word
// that only serves to tell kinds of errors apart.
func oneLine(err error) string {
	text := strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " ")
	return strings.TrimPrefix(text, errUsage.Error()+": ")
}
