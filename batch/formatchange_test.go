package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"waconcile/writer"
	"waconcile/writer/writertest"
)

// TestClosedInAnotherFormat: a month that a build of another format has
// published and closed is another run for this one, which adjusts nothing.
func TestClosedInAnotherFormat(t *testing.T) {
	t.Parallel()
	mem := &writertest.Mem{}
	b := newBooks(t, mem)
	june := b.fresh("2024-06")
	older := *june.Manifest
	older.FormatVersion--
	older.InputsSHA256 = strings.Repeat("0", 64) // the format is part of it
	data, err := older.Encode()
	if err != nil {
		t.Fatal(err)
	}
	hash := func(data []byte) string { sum := sha256.Sum256(data); return hex.EncodeToString(sum[:]) }
	then := &writertest.Mem{}
	objects := mem.Objects()
	manifest := june.RunKey + "manifest.json"
	for key, content := range objects {
		switch {
		case key == manifest:
			content = data
		case strings.HasPrefix(key, "current/"):
			content = []byte(strings.Replace(string(content), hash(objects[manifest]), hash(data), 1))
		}
		if err := then.Put(t.Context(), key, content, writer.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	b.out = then
	b.close("2024-06")
	late := b.fresh("2024-06")
	b.wantAdjustments(late, []string{}...)
	if late.Sealed != june.RunKey || late.RunKey == june.RunKey {
		t.Errorf("%s is sealed as %q", late.RunKey, late.Sealed)
	}
	b.verify(late.RunKey)
	if july := b.fresh("2024-07"); slices.Contains(july.Manifest.TakesIn(), "2024-06") {
		t.Error("July takes in what adjusts nothing")
	}
}
