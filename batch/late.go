package batch

import (
	"fmt"

	"waconcile/reconcile"
)

// lateFindings tells of the rows that came too late for the checkpoint that
// the run started from, once for each account and day (contract, which days
// are read): a run that begins before that day takes them.
func (r *run) lateFindings(late map[reconcile.LateKey]int64) []finding {
	var found []finding
	for key, n := range late {
		rows := "rows"
		if n == 1 {
			rows = "row"
		}
		found = append(found, finding{
			kind: reconcile.LateRows, account: r.names.Text(key.Account), at: key.Day.Start(),
			detail: fmt.Sprintf("%d %s sent on %s came more than %d days later and after the checkpoint of %s: a run that begins on that day or before takes them",
				n, rows, key.Day, r.job.LateDays, r.plan.start.header.Day),
		})
	}
	return found
}
