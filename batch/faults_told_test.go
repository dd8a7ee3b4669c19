package batch

import (
	"errors"

	"waconcile/writer"
	"waconcile/writer/s3test"
)

// findMisled compares what each run returned with what it did:
//
//   - one that says it published wrote the pointer, or another one wrote the
//     same pointer meanwhile;
//   - one that says it was published before was named by the pointer at some
//     time while it ran;
//   - one that says another was first did not write the pointer, or lost it
//     again, and there was another, or the store said that there was;
//   - one that says the outcome is unknown had got as far as its manifest;
//   - any other error means that the pointer was not written, and is not by
//     what a broken connection does after its end.
func (rec *record) findMisled(say func(string, ...any)) {
	for _, try := range rec.tries {
		own, others := rec.movesDuring(try)
		switch {
		case try.command.kind == collect:
		case try.closed != nil:
			if !rec.wasClosed(try) {
				say("%s says that %s is closed; it is not", try.client, try.closed.Run)
			}
		case try.err == nil && try.result.Already:
			if !rec.wasCurrent(try) {
				say("%s says that %s was published before; it never was", try.client, try.result.RunKey)
			}
		case try.err == nil:
			if !names(own, try.result.RunKey) && !names(others, try.result.RunKey) {
				say("%s says that it published %s; it did not", try.client, try.result.RunKey)
			}
		case errors.Is(try.err, writer.ErrOutcomeUnknown):
			if !rec.reachedCommit(try) {
				say("%s does not know the outcome, and had committed nothing: %v", try.client, try.err)
			}
		case errors.Is(try.err, writer.ErrConflict):
			if len(own) > 0 && len(others) == 0 {
				say("%s says that another was first, and it was itself: %v", try.client, try.err)
			}
			if len(others) == 0 && !rec.heardConflict(try) && !rec.metTombstone(try) {
				say("%s says that another was first, and there was none: %v", try.client, try.err)
			}
		case len(own) > 0 && try.command.kind != closeMonth: // which has a step after it
			say("%s moved the pointer and says %v", try.client, try.err)
		}
	}
}

// movesDuring are the moves of the period's pointer that a try made, be it that
// they arrived after its end, and those of all others while it ran.
func (rec *record) movesDuring(try *try) (own, others []move) {
	for _, moves := range rec.pointerMoves() {
		for _, m := range moves {
			switch {
			case m.client == try.client:
				own = append(own, m)
			case m.at >= try.from && m.at < try.to:
				others = append(others, m)
			}
		}
	}
	return own, others
}

func names(moves []move, run string) bool {
	for _, m := range moves {
		if m.pointer.Run == run {
			return true
		}
	}
	return false
}

// wasCurrent says whether the pointer named a try's run when it began, or
// came to name it while it ran.
func (rec *record) wasCurrent(try *try) bool {
	key := faultOut + pointerOf(try.result.Manifest)
	named := ""
	for _, m := range rec.pointerMoves()[key] {
		if m.at >= try.to {
			break
		}
		if m.at >= try.from && named == try.result.RunKey {
			return true
		}
		named = m.pointer.Run
	}
	return named == try.result.RunKey
}

// pointerOf is the key of the pointer that names a run.
func pointerOf(m *writer.Manifest) string {
	if m.Adjusts() {
		return writer.AdjustedKey(m.Period)
	}
	return writer.PointerKey(m.Period)
}

// wasClosed says whether mark and seal of what a try closed were there when it
// ended.
func (rec *record) wasClosed(try *try) bool {
	marked, sealed := false, false
	for _, m := range rec.pointerMoves()[faultOut+writer.PointerKey(try.closed.Period)] {
		marked = marked || m.at < try.to && m.pointer.Sealed && m.pointer.Run == try.closed.Run
	}
	for _, e := range rec.history[:try.to] {
		sealed = sealed || e.Key == faultOut+writer.SealKey(try.closed.Period) && e.Changed()
	}
	return marked && sealed
}

// reachedCommit says whether a try asked for a step of the commit, be it that
// the store heard of it later.
func (rec *record) reachedCommit(try *try) bool {
	for _, e := range rec.history[try.from:] {
		if e.Client == try.client && e.Op == s3test.PutObject && (isManifest(e.Key) || isPointer(e.Key) || isSeal(e.Key)) {
			return true
		}
	}
	return false
}

// heardConflict says whether the network told a try of a conflict that there
// was not.
func (rec *record) heardConflict(try *try) bool {
	for _, e := range rec.history[try.from:try.to] {
		if e.Client == try.client && e.Op == s3test.PutObject && (e.Fault == s3test.Conflict || e.Fault == s3test.Refused) {
			return true
		}
	}
	return false
}

// metTombstone says whether something was being removed until a try ended.
func (rec *record) metTombstone(try *try) bool {
	for _, e := range rec.history[:try.to] {
		if e.Changed() && rec.isTombstone(e.After) {
			return true
		}
	}
	return false
}
