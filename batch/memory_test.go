package batch

import (
	"testing"

	"waconcile/reader"
	"waconcile/reconcile"
)

func TestPassesOfNeed(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for _, c := range []struct {
		need   need
		memory int64
		want   int
	}{
		{need{1 << 60, 100 * mib, 50 * mib, 1 << 50}, 0, 1},           // no limit
		{need{60 * mib, 100 * mib, 50 * mib, 20 * mib}, 100 * mib, 1}, // few rows
		{need{1 << 60, 100 * mib, 50 * mib, 150 * mib}, 500 * mib, 1},
		{need{1 << 60, 100 * mib, 50 * mib, 151 * mib}, 500 * mib, 2}, // it would fit but for the tables
		{need{1 << 60, 100 * mib, 50 * mib, 401 * mib}, 500 * mib, 3},
		{need{1 << 60, 100 * mib, 50 * mib, 1000 * mib}, 100 * mib, 40}, // less than every pass takes
		{need{1 << 60, 100 * mib, 50 * mib, 1 << 50}, 500 * mib, passesMax},
	} {
		if got := c.need.passes(c.memory); got != c.want {
			t.Errorf("%+v in %d: %d passes, want %d", c.need, c.memory, got, c.want)
		}
	}
}

// What passes hold follows the busiest days, and no others.
func TestNeedFollowsDays(t *testing.T) {
	t.Parallel()
	plan := func(rows ...int64) (*Plan, []reader.FileInfo) {
		p := &Plan{in: &inputs{accounts: testAccountsOf(t)}, Missing: []reconcile.Date{1}} // no states
		var infos []reader.FileInfo
		for i, n := range rows {
			p.days = append(p.days, day{date: reconcile.Date(i), files: make([]reader.Object, 2)})
			infos = append(infos, reader.FileInfo{Rows: n / 2}, reader.FileInfo{Rows: n - n/2})
		}
		return p, infos
	}
	job := &Job{Config: Config{Workers: 2, LateDays: 1}}
	of := func(rows ...int64) int64 {
		p, infos := plan(rows...)
		return p.need(job, infos, 1).shared
	}
	if a, b := of(5, 5, 5, 5, 5), of(5, 5, 5, 5, 5, 5, 5, 5, 5, 5); a != b || a == 0 {
		t.Errorf("5 days hold %d and 10 days %d, want the same", a, b)
	}
	if got, want := of(0, 0, 0, 1000, 0, 0), int64(1000*(rowBytes+pairBytes+chargeBytes)); got != want {
		t.Errorf("a single day holds %d, want %d", got, want)
	}
	if got, want := of(1000, 1000, 0, 0, 0, 0), int64(1000*2*(rowBytes+pairBytes+chargeBytes)); got != want {
		t.Errorf("two days hold %d, want %d", got, want)
	}
}

func testAccountsOf(t *testing.T) *reconcile.Accounts {
	t.Helper()
	accounts, _, err := reader.ReadAccounts(t.Context(), tableSource(testAccounts))
	if err != nil {
		t.Fatal(err)
	}
	return accounts
}

func TestSizeText(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{1: "1 bytes", 256 << 20: "256MiB", 2 << 30: "2GiB", 3 << 29: "1536MiB"} {
		if got := SizeText(n); got != want {
			t.Errorf("SizeText(%d) = %q, want %q", n, got, want)
		}
	}
}

// TestWorkersIn: workers are fewer where they alone would take more than half
// of the memory, and always one at least.
func TestWorkersIn(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		memory        int64
		workers, want int
	}{
		{0, 64, 64}, {16 << 30, 64, 64}, {256 << 20, 2, 2}, {256 << 20, 16, 6}, {128 << 20, 16, 2}, {128 << 20, 1, 1}, {1 << 20, 16, 1},
	} {
		if got := workersIn(tc.memory, tc.workers); got != tc.want {
			t.Errorf("%d workers in %s: %d, want %d", tc.workers, SizeText(tc.memory), got, tc.want)
		}
	}
}
