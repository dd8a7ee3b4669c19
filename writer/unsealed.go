package writer

import (
	"context"
	"maps"
	"path"
	"slices"
	"strings"

	"waconcile/reconcile"
)

// UnsealedMonths are the months, such as 2024-07, that ended before today, of
// which a run of the whole, of a day or of days within it is published, and that
// are not closed, in order. Errors are those of the listing.
func UnsealedMonths(ctx context.Context, l Lister, today reconcile.Date) ([]string, error) {
	published, err := monthsAt(ctx, l, PointerKey, monthWithin)
	if err != nil {
		return nil, err
	}
	sealed, err := monthsAt(ctx, l, SealKey, func(period string) (string, bool) { return period, IsMonth(period) })
	if err != nil {
		return nil, err
	}
	current := monthOf(today.String())
	maps.DeleteFunc(published, func(month string, _ bool) bool { return sealed[month] || month >= current })
	return slices.Sorted(maps.Keys(published)), nil
}

// monthsAt are the months of the periods that have an object of a kind.
func monthsAt(ctx context.Context, l Lister, keyOf func(period string) string, of func(period string) (string, bool)) (map[string]bool, error) {
	objects, err := l.List(ctx, path.Dir(keyOf("2024-07"))+"/")
	if err != nil {
		return nil, err
	}
	months := map[string]bool{}
	for _, o := range objects {
		period, _, _ := strings.Cut(path.Base(o.Key), ".")
		if month, ok := of(period); ok && o.Key == keyOf(period) {
			months[month] = true
		}
	}
	return months, nil
}

// monthWithin is the month that a period is, or that all its days are of.
func monthWithin(period string) (month string, ok bool) {
	if IsMonth(period) {
		return period, true
	}
	first, last, more := strings.Cut(period, "_")
	if !more {
		last = first
	}
	for _, day := range []string{first, last} {
		if _, err := reconcile.ParseDate(day); err != nil {
			return "", false
		}
	}
	return monthOf(first), monthOf(first) == monthOf(last)
}

// monthOf is the month of a date such as 2024-07-03.
func monthOf(date string) string { return date[:len("2024-07")] }
