package writer

import (
	"context"
	"path"
	"strings"
)

// UnsealedMonths are the months, such as 2024-07, of which a run is published
// and that are not closed, in order. Errors are those of the listing.
func UnsealedMonths(ctx context.Context, l Lister) ([]string, error) {
	published, err := monthsAt(ctx, l, PointerKey)
	if err != nil {
		return nil, err
	}
	sealed, err := monthsAt(ctx, l, SealKey)
	if err != nil {
		return nil, err
	}
	closed := make(map[string]bool, len(sealed))
	for _, month := range sealed {
		closed[month] = true
	}
	var months []string
	for _, month := range published {
		if !closed[month] {
			months = append(months, month)
		}
	}
	return months, nil
}

// monthsAt are the months that have an object of a kind.
func monthsAt(ctx context.Context, l Lister, keyOf func(period string) string) ([]string, error) {
	objects, err := l.List(ctx, path.Dir(keyOf("2024-07"))+"/")
	if err != nil {
		return nil, err
	}
	var months []string
	for _, o := range objects {
		month, _, _ := strings.Cut(path.Base(o.Key), ".")
		if IsMonth(month) && o.Key == keyOf(month) {
			months = append(months, month)
		}
	}
	return months, nil
}
