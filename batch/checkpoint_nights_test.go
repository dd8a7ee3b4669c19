package batch

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"waconcile/reader/readertest"
	"waconcile/reconcile"
	"waconcile/writer/writertest"
)

// The next night's run needs no row from the night before: each starts from
// what an earlier one has left, whatever the late days, the zones and the
// bases, and though the last of the days it may read still grows.
func TestNightAfterNight(t *testing.T) {
	t.Parallel()
	utc := strings.NewReplacer("Europe/Rome", "UTC", "Pacific/Auckland", "UTC", "America/Los_Angeles", "UTC")
	sent := strings.NewReplacer("delivered", "sent")
	for late := range 4 {
		for name, c := range map[string]struct {
			accounts string
			after    reconcile.Date // whole days that a night has after its own
		}{
			"UTC":              {sent.Replace(utc.Replace(testAccounts)), 0},
			"zones":            {sent.Replace(testAccounts), 1},
			"UTC, delivered":   {utc.Replace(testAccounts), 0},
			"zones, delivered": {testAccounts, 1},
		} {
			t.Run(fmt.Sprintf("%s,late=%d", name, late), func(t *testing.T) {
				t.Parallel()
				checkNights(t, late, c.accounts, c.after)
			})
		}
	}
}

func checkNights(t *testing.T, late int, accounts string, after reconcile.Date) {
	first := mustDate(t, "2024-06-28")
	c := newCrowd(7, first, 14)
	c.late = reconcile.Date(late)
	c.fill(200)
	whole, seen, out := c.exports(t, rand.New(rand.NewPCG(1, 2)), 1, 100), &readertest.Mem{}, &writertest.Mem{}
	for day := 1; day <= 7; day++ {
		j := july(t, day, seen, out)
		j.Accounts, j.LateDays = tableSource(accounts), late
		for d := first; d <= j.Period.To+after; d++ {
			for _, key := range keysOf(t, whole) {
				if strings.HasPrefix(key, partition(d)) {
					seen.Put(key, bytesOf(t, whole, key))
				}
			}
		}
		growing := partition(j.Period.To+after+1) + "part-8.parquet"
		addExport(t, seen, growing)
		from := startDay(mustRun(t, j))
		newest := min(j.Period.From-after, j.Period.From+after-reconcile.Date(late)).String() // that the night before is sure of
		switch {
		case day == 1 && from != "":
			t.Errorf("the first night started from %s", from)
		case day > 1 && from != newest:
			t.Errorf("night of %d started from %q, want %s", day, from, newest)
		}
		seen.Remove(growing)
	}
}
