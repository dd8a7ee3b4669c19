package reader_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"

	"waconcile/reader"
	"waconcile/reader/readertest"
	"waconcile/reconcile"
)

// damageFiles are small files in which every kind of page occurs.
func damageFiles(tb testing.TB) map[string][]byte {
	rows, _ := someMessages(3, 60)
	delta := map[string]parquet.Encoding{
		"sent_at": parquet.Encodings.DeltaBinaryPacked, "message_id": parquet.Encodings.DeltaByteArray,
		"contact": parquet.Encodings.DeltaLengthByteArray,
	}
	files := make(map[string][]byte)
	for name, l := range map[string]layout{
		"plain":      {groupRows: 25},
		"dictionary": {dictionary: true, pageBytes: 200},
		"snappy":     {dictionary: true, codec: compress.Codecs.Snappy, v2: true},
		"zstd":       {codec: compress.Codecs.Zstd},
		"gzip":       {codec: compress.Codecs.Gzip, v2: true},
		"delta":      {encodings: delta},
	} {
		files[name] = exportFile(tb, l, exportColumns(rows, arrow.BinaryTypes.String, arrow.Microsecond)...)
	}
	return files
}

// refusedOrScanned checks what came of a damaged file: an error of the file, or
// rows.
func refusedOrScanned(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if !errors.Is(err, reader.ErrData) {
		t.Errorf("%s: %v does not match ErrData", what, err)
	}
	if f, ok := errors.AsType[*reader.FileError](err); !ok || f.File != testDayKey {
		t.Errorf("%s: %v names no file", what, err)
	}
}

func TestScanOfACutFileEnds(t *testing.T) {
	t.Parallel()
	for name, data := range damageFiles(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := 0; n < len(data); n += 1 + n/60 {
				_, err := scan(t, data[:n], reader.ExportOptions{})
				if err == nil {
					t.Errorf("cut at %d: no error", n)
				}
				refusedOrScanned(t, fmt.Sprintf("cut at %d", n), err)
			}
			// The end is there, and a piece in the middle is not.
			for n := 4; n < len(data)-12; n += 97 {
				_, err := scan(t, slices.Concat(data[:n], data[n+7:]), reader.ExportOptions{})
				refusedOrScanned(t, fmt.Sprintf("without 7 bytes at %d", n), err)
			}
		})
	}
}

func TestScanOfAFlippedByteEnds(t *testing.T) {
	t.Parallel()
	for name, data := range damageFiles(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			r := rand.New(rand.NewPCG(seed, 0))
			for range 1500 {
				damaged := bytes.Clone(data)
				at := r.IntN(len(damaged))
				damaged[at] ^= byte(1 + r.IntN(255))
				_, err := scan(t, damaged, reader.ExportOptions{})
				refusedOrScanned(t, fmt.Sprintf("byte %d", at), err)
			}
		})
	}
}

func FuzzScan(f *testing.F) {
	for _, data := range damageFiles(f) {
		f.Add(data)
	}
	f.Add([]byte("PAR1PAR1PAR1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := scan(t, data, reader.ExportOptions{BlockRows: 16})
		refusedOrScanned(t, "scan", err)
	})
}

func TestNoParquet(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"", "PAR1", "PAR1PAR1", "not a Parquet file at all", "PAR1\xff\xff\xff\x7fPAR1"} {
		_, err := scan(t, []byte(data), reader.ExportOptions{})
		if !errors.Is(err, reader.ErrData) {
			t.Errorf("%q: %v", data, err)
		}
	}
}

func TestStoreErrorsComeThrough(t *testing.T) {
	t.Parallel()
	rows, _ := someMessages(3, 2000)
	data := exportFile(t, layout{groupRows: 500}, exportColumns(rows, arrow.BinaryTypes.String, arrow.Microsecond)...)
	reads := 0
	count := &readertest.Mem{OnRead: func(string, int64, int) error { reads++; return nil }}
	count.Put(testDayKey, data)
	if _, err := scanFrom(t, count, reader.ExportOptions{}, reconcile.NoTime); err != nil {
		t.Fatal(err)
	}
	for _, want := range []error{reader.ErrStore, reader.ErrChanged} {
		for fail := range reads {
			n := 0
			src := &readertest.Mem{OnRead: func(key string, _ int64, _ int) error {
				if n++; n > fail {
					return fmt.Errorf("get %s: %w", key, want)
				}
				return nil
			}}
			src.Put(testDayKey, data)
			_, err := scanFrom(t, src, reader.ExportOptions{}, reconcile.NoTime)
			if !errors.Is(err, want) || errors.Is(err, reader.ErrData) {
				t.Errorf("read %d of %d fails with %q: got %v", fail, reads, want, err)
			}
		}
	}
}

func TestAChangeWinsOverDamage(t *testing.T) {
	t.Parallel()
	rows, _ := someMessages(3, 20)
	data := exportFile(t, layout{}, exportColumns(rows, arrow.BinaryTypes.String, arrow.Microsecond)...)
	for name, first := range map[string][]byte{"good": data, "damaged": data[:len(data)-1]} {
		src := &readertest.Mem{}
		src.OnRead = func(key string, _ int64, _ int) error {
			src.Put(key, data)
			return nil
		}
		src.Put(testDayKey, first)
		_, err := scanFrom(t, src, reader.ExportOptions{}, reconcile.NoTime)
		if !errors.Is(err, reader.ErrChanged) || errors.Is(err, reader.ErrData) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestStatisticsThatDoNotHold moves the smallest sent_at in the footer.
func TestStatisticsThatDoNotHold(t *testing.T) {
	t.Parallel()
	var rows []message
	for i := range 10 {
		rows = append(rows, plainMessage(func(m *message) { m.Sent = dayStart + int64(i)*1000 }))
	}
	data := exportFile(t, layout{}, exportColumns(rows, arrow.BinaryTypes.String, arrow.Millisecond)...)
	footer := len(data) - 8 - int(binary.LittleEndian.Uint32(data[len(data)-8:]))
	smallest := binary.LittleEndian.AppendUint64(nil, uint64(dayStart))
	later := binary.LittleEndian.AppendUint64(nil, uint64(dayStart+3000))
	data = append(data[:footer:footer], bytes.ReplaceAll(data[footer:], smallest, later)...)
	_, err := scan(t, data, reader.ExportOptions{})
	f, ok := errors.AsType[*reader.FileError](err)
	if !ok || f.Column != "sent_at" || f.Row != 0 {
		t.Errorf("got %v", err)
	}
}
