package main

import (
	"context"
	"errors"
	"strings"

	"waconcile/batch"
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
)

// outcome is what an error means: the exit code, and what a person does next.
type outcome struct {
	err  error
	code int
	next string
}

// outcomes is asked from the top: where an error matches several, the one
// that says most about what is published comes first.
func outcomes() []outcome {
	const again = "nothing was published; "
	return []outcome{
		{errFailOn, exitFailOn, "the run is published: look into its differences and findings tables"},
		{writer.ErrOutcomeUnknown, exitOutcome, "the run may or may not be published: run the same command again, which is safe"},
		{errInterrupted, exitInterrupt, again + "run the same command again"},
		{errTerminated, exitTerminate, again + "run the same command again"},
		{writer.ErrVerify, exitVerify, "do not use this run: find out who changed it, and publish again with waconcile run into another place"},
		{writer.ErrConflict, exitConflict, "another run of the period was published meanwhile: run the same command again"},
		{batch.ErrIncomplete, exitIncomplete, again + "bring the missing days, or go on without them by --allow-missing"},
		{reader.ErrInput, exitUsage, again + "correct the input and run again"},
		{reader.ErrChanged, exitStore, again + "wait until the exports are complete and run again"},
		{reader.ErrData, exitData, again + "replace the export and run again"},
		{writer.ErrUnsafeStore, exitStore, again + "use a store that honours conditional writes, or --unsafe-store where one run at a time is certain"},
		{reader.ErrStore, exitStore, again + "check the place, its credentials and the network, and run again"},
		{writer.ErrStore, exitStore, again + "check the place, its credentials and the network, and run again"},
		{batch.ErrConfig, exitUsage, "correct the setting; waconcile help shows them all"},
		{errUsage, exitUsage, "correct the command line or the setting; waconcile help shows them all"},
		{context.DeadlineExceeded, exitStore, again + "run the same command again"},
	}
}

// judge tells what err means. The context of the command knows whether a
// signal came, which counts for more than what it broke, except where the
// commit was under way.
func judge(ctx context.Context, err error) outcome {
	if err == nil {
		return outcome{code: exitOK}
	}
	if ctx.Err() != nil && !errors.Is(err, errFailOn) {
		err = errors.Join(err, context.Cause(ctx))
	}
	for _, o := range outcomes() {
		if errors.Is(err, o.err) {
			return o
		}
	}
	return outcome{code: exitUnexpected, next: "nothing was published; please report this with the lines above"}
}

// oneLine is the text of an error without line breaks, and without the word
// that only serves to tell kinds of errors apart.
func oneLine(err error) string {
	text := strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " ")
	return strings.TrimPrefix(text, errUsage.Error()+": ")
}
