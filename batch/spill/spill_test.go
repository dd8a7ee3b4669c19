package spill

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"waconcile/writer"

	gocmp "github.com/google/go-cmp/cmp"
)

func testFile(t *testing.T) *File {
	t.Helper()
	f := NewFile("waconcile-test-*")
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// Pieces read back as they were written, and nothing else does.
func TestPieces(t *testing.T) {
	t.Parallel()
	f := testFile(t)
	var pieces []Piece
	for i := range 5 {
		p, err := f.Write([]byte(strings.Repeat("x", i)))
		if err != nil {
			t.Fatal(err)
		}
		pieces = append(pieces, p)
	}
	for i, p := range pieces {
		if got, err := f.Read(p, nil); err != nil || len(got) != i {
			t.Errorf("piece %d: %q, %v", i, got, err)
		}
	}
	if _, err := f.file.WriteAt([]byte{'y'}, pieces[3].at+1); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(pieces[3], nil); !errors.Is(err, ErrDamaged) {
		t.Errorf("a flipped byte: %v, want ErrDamaged", err)
	} else if !errors.Is(err, writer.ErrStore) {
		t.Errorf("%v is no error of the storage", err)
	}
	if err := f.file.Truncate(pieces[4].at + 1); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(pieces[4], nil); !errors.Is(err, ErrDamaged) {
		t.Errorf("cut short: %v, want ErrDamaged", err)
	}
}

// frameOf is a frame of a text and a number, either of which may be null.
func frameOf(rows []string) writer.Frame {
	f := writer.Frame{Rows: len(rows), Columns: []writer.Column{{Text: []string{}, Null: []bool{}}, {Int: []int64{}}}}
	for _, r := range rows {
		f.Columns[0].Text = append(f.Columns[0].Text, r)
		f.Columns[0].Null = append(f.Columns[0].Null, r == "")
		f.Columns[1].Int = append(f.Columns[1].Int, int64(len(r))-3)
	}
	return f
}

func byText(a, b Row) int {
	return cmp.Compare(a.Frame.Columns[0].Text[a.Index], b.Frame.Columns[0].Text[b.Index])
}

// Runs of any lengths come back as one sorted list, again and again.
func TestMerge(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for _, lengths := range [][]int{{}, {0}, {1}, {blockRows, blockRows + 1, 0, 3}, {mergedRows, mergedRows, 17, 17, 17}} {
		runs := &Runs{File: testFile(t), Columns: 2, Compare: byText}
		var all []string
		for _, n := range lengths {
			rows := make([]string, n)
			for i := range rows {
				rows[i] = strings.Repeat("a", rng.IntN(3)) + fmt.Sprint(rng.IntN(1000) * rng.IntN(2))[:1]
			}
			slices.Sort(rows)
			all = append(all, rows...)
			if err := runs.Add(writer.FramesOf(rows, frameOf)); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(all)
		want := frameOf(all)
		for range 2 {
			got := frameOf(nil)
			for f, err := range runs.Merge() {
				if err != nil {
					t.Fatal(err)
				}
				got.Rows += f.Rows
				got.Columns[0].Text = append(got.Columns[0].Text, f.Columns[0].Text...)
				got.Columns[0].Null = append(got.Columns[0].Null, f.Columns[0].Null...)
				got.Columns[1].Int = append(got.Columns[1].Int, f.Columns[1].Int...)
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Fatalf("%v (-want +got):\n%s", lengths, diff)
			}
		}
		if runs.Rows() != int64(len(all)) {
			t.Errorf("%d rows, want %d", runs.Rows(), len(all))
		}
	}
}

// A block that was cut or has something behind it is refused without a panic.
func TestDamagedBlocks(t *testing.T) {
	t.Parallel()
	f := frameOf([]string{"", "one", "two"})
	whole := appendBlock(nil, &f)
	for n := range whole {
		if _, err := decodeBlock(whole[:n], 2); err == nil {
			t.Errorf("%d of %d bytes were taken", n, len(whole))
		}
	}
	if _, err := decodeBlock(append(whole, 0), 2); err == nil {
		t.Error("a byte too many was taken")
	}
}
