package batch

import (
	"math"

	"waconcile/reader"
	"waconcile/reconcile"
)

// foldable tells, for each day of the plan, up to which day the shards may
// fold once its files and those before are read. Rows of the last LateDays
// days may lie in files still to come, unless the statistics of these say that
// they hold none: then no day has to wait in memory for the next. A file whose
// statistics do not hold is refused as it is decoded.
func (p *Plan) foldable(lateDays int, infos []reader.FileInfo) []reconcile.Date {
	until := make([]reconcile.Date, len(p.days))
	oldest := int64(math.MaxInt64) // of the files still to come
	file := len(infos)
	for i := len(until) - 1; i >= 0; i-- {
		d := p.days[i]
		until[i] = d.date - reconcile.Date(lateDays)
		if open := min(oldest, (d.date + 1).Start()); open > until[i].Start() {
			until[i] = max(until[i], reconcile.DateOf(open)-1)
		}
		for range d.files {
			file--
			oldest = min(oldest, oldestOf(&infos[file]))
		}
	}
	return until
}

// oldestOf is the instant before which no row of a file was sent, or
// reconcile.NoTime where its statistics do not tell.
func oldestOf(info *reader.FileInfo) int64 {
	if info.Rows == 0 {
		return math.MaxInt64
	}
	return info.Oldest
}
