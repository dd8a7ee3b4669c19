package batch

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"

	"waconcile/batch/checkpoint"
	"waconcile/reader"
	"waconcile/reconcile"

	"golang.org/x/sync/errgroup"
)

// exportDays is what the exports hold, day by day, listed and identified when
// it is first asked for and no more than once. Its lists are used by one
// goroutine.
type exportDays struct {
	source reader.Source
	marker string
	listed map[reconcile.Date]*exportDay
}

// exportDay is a day as the listing shows it.
type exportDay struct {
	day
	identified bool
	identities []string // of files
}

func newExportDays(job *Job) *exportDays {
	return &exportDays{source: job.Exports, marker: job.CompleteMarker, listed: make(map[reconcile.Date]*exportDay)}
}

// listsInFlight bounds the listings that run at once.
const listsInFlight = 8

// list lists the days from first to last. Days that are not required and lack
// their marker count all the same.
func (e *exportDays) list(ctx context.Context, first, last reconcile.Date) error {
	var mu sync.Mutex // guards e.listed
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(listsInFlight)
	for date := first; date <= last; date++ {
		mu.Lock()
		_, known := e.listed[date]
		mu.Unlock()
		if known {
			continue
		}
		g.Go(func() error {
			objects, err := e.source.List(ctx, partition(date))
			mu.Lock()
			defer mu.Unlock()
			e.listed[date] = &exportDay{day: dayOf(date, objects, e.marker)}
			return err
		})
	}
	return g.Wait()
}

// present are the listed days from first to last that have data, in order.
func (e *exportDays) present(first, last reconcile.Date) []day {
	var days []day
	for date := first; date <= last; date++ {
		if d := e.listed[date]; d != nil && len(d.files) > 0 {
			days = append(days, d.day)
		}
	}
	return days
}

// has tells whether every day from first to last has data.
func (e *exportDays) has(first, last reconcile.Date) bool {
	return len(e.present(first, last)) == int(last-first)+1
}

// identify learns what the bytes of each file of the days from first to last
// are known by; in a directory that reads them all. The days are listed.
func (e *exportDays) identify(ctx context.Context, first, last reconcile.Date) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for date := first; date <= last; date++ {
		d := e.listed[date]
		if d == nil || d.identified {
			continue
		}
		d.identities = make([]string, len(d.files))
		for i := range d.files {
			g.Go(func() (err error) {
				d.identities[i], err = e.source.Identify(ctx, d.files[i])
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for date := first; date <= last; date++ {
		if d := e.listed[date]; d != nil {
			d.identified = true
		}
	}
	return nil
}

// objects are the files of the days from first to last, identified, in the
// order of their days.
func (e *exportDays) objects(first, last reconcile.Date) []PlannedObject {
	var objects []PlannedObject
	for date := first; date <= last; date++ {
		d := e.listed[date]
		if d == nil || len(d.files) == 0 {
			continue
		}
		for i, o := range d.files {
			objects = append(objects, PlannedObject{Key: o.Key, Size: o.Size, Day: date, Identity: d.identities[i]})
		}
	}
	return objects
}

// known are those objects as a checkpoint holds them, in the order of their
// keys.
func (e *exportDays) known(first, last reconcile.Date) []checkpoint.Object {
	objects := []checkpoint.Object{}
	for _, o := range e.objects(first, last) {
		objects = append(objects, checkpoint.Object{Key: o.Key, Size: o.Size, Identity: o.Identity})
	}
	slices.SortFunc(objects, func(a, b checkpoint.Object) int { return strings.Compare(a.Key, b.Key) })
	return objects
}

// sameSizes compares keys and sizes of the days that are still there with what
// was known, and finds the first day that differs.
func (e *exportDays) sameSizes(first, last reconcile.Date, then map[reconcile.Date][]checkpoint.Object) (reconcile.Date, bool) {
	for date := first; date <= last; date++ {
		d := e.listed[date]
		if d == nil || len(d.files) == 0 {
			continue
		}
		sizes := make(map[string]int64, len(then[date]))
		for _, o := range then[date] {
			sizes[o.Key] = o.Size
		}
		for _, o := range d.files {
			if size, known := sizes[o.Key]; !known || size != o.Size || len(sizes) != len(d.files) {
				return date, false
			}
		}
	}
	return 0, true
}
