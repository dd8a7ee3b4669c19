package reader_test

import (
	"fmt"
	"sync"
	"testing"

	"waconcile/reader"
	"waconcile/reconcile"
)

func TestNamesFromManyGoroutines(t *testing.T) {
	t.Parallel()
	const texts = 3000
	names := reader.NewNames()
	handles := make([][]reconcile.Name, 4)
	var wg sync.WaitGroup
	for g := range handles {
		handles[g] = make([]reconcile.Name, texts)
		wg.Go(func() {
			for k := range texts {
				i := (k*7 + g*1000) % texts
				if g%2 == 0 {
					handles[g][i] = names.Intern(fmt.Appendf(nil, "name %d", i))
				} else {
					handles[g][i] = names.InternString(fmt.Sprintf("name %d", i))
				}
				if text := names.Text(handles[g][i]); text != fmt.Sprintf("name %d", i) {
					t.Errorf("handle %d of name %d is %q", handles[g][i], i, text)
				}
			}
		})
	}
	wg.Wait()
	for i := range texts {
		for g := range handles {
			if handles[g][i] != handles[0][i] || handles[g][i] == 0 {
				t.Fatalf("name %d has handles %d and %d", i, handles[0][i], handles[g][i])
			}
		}
	}
	if names.Len() != texts+1 || names.Intern(nil) != 0 || names.InternString("") != 0 || names.Text(0) != "" {
		t.Errorf("%d handles", names.Len())
	}
}
