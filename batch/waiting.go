package batch

import (
	"context"
	"slices"
	"strings"

	"waconcile/writer"
)

// Waiting is a closed month with adjustments that are on no statement yet and
// that a later month cannot take in: the month For must be closed first.
type Waiting struct {
	Month string // 2024-06
	For   string // the first month after it that is not closed: its statements take them in
}

// findWaiting looks for such months before the open one at which the search
// for what is taken in has ended. billed are the manifests of the runs that
// months closed after it have taken in.
func (st *standing) findWaiting(ctx context.Context, out writer.Store, open string, billed map[string]bool) error {
	adjusted, err := monthsWith(ctx, out, writer.AdjustedKey)
	if err != nil || len(adjusted) == 0 {
		return err
	}
	for m := writer.MonthBefore(open); m >= adjusted[0]; m = writer.MonthBefore(m) {
		closed, err := closedMonth(ctx, out, m)
		if err != nil {
			return err
		}
		if closed == nil {
			open = m
			continue
		}
		runs, err := closed.unbilled(billed)
		if err != nil {
			return err
		}
		if len(runs) > 0 {
			st.waiting = append(st.waiting, Waiting{m, open})
		}
	}
	slices.Reverse(st.waiting)
	return nil
}

// closedWithin are the closed months that have days of a period that is no
// month, by their seals. Its runs neither bill nor adjust them.
func closedWithin(ctx context.Context, out writer.Store, p Period) ([]string, error) {
	sealed, err := monthsWith(ctx, out, writer.SealKey)
	const month = len("2024-07")
	from, to := p.From.String()[:month], p.To.String()[:month]
	return slices.DeleteFunc(sealed, func(m string) bool { return m < from || m > to }), err
}

// monthsWith are the months of which there is an object with such a key, in
// order.
func monthsWith(ctx context.Context, out writer.Store, key func(period string) string) ([]string, error) {
	const none = "\x00"
	prefix, suffix, _ := strings.Cut(key(none), none)
	objects, err := out.List(ctx, prefix)
	if err != nil {
		return nil, err
	}
	var months []string
	for _, o := range objects {
		month := strings.TrimSuffix(strings.TrimPrefix(o.Key, prefix), suffix)
		if writer.IsMonth(month) && o.Key == key(month) {
			months = append(months, month)
		}
	}
	return months, nil
}
