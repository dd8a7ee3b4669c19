package reader_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waconcile/reader"
	"waconcile/reconcile"
)

// TestCombinations holds what becomes of every direction, type, status and
// category against the contract, asked one by one.
func TestCombinations(t *testing.T) {
	t.Parallel()
	var rows []message
	var want result
	for _, direction := range []string{"inbound", "outbound", "up"} {
		for _, typ := range []string{"text", "template", "reaction", "image"} {
			for _, status := range []any{nil, "sent", "FAILED", "played", "odd"} {
				for _, category := range []any{nil, "marketing", "utility", "service", "odd"} {
					m := plainMessage(func(m *message) {
						m.ID = fmt.Sprint("m", len(rows))
						m.Direction, m.Type, m.Status, m.Category = direction, typ, status, category
						m.Delivered, m.Read = dayStart+1, dayStart+2
					})
					row, reject := judged(&m)
					if reject == "" {
						want.Rows = append(want.Rows, row)
					} else {
						want.Rejects = append(want.Rejects, fmt.Sprintf("%s %d %s", testDayKey, len(rows), reject))
					}
					rows = append(rows, m)
				}
			}
		}
	}
	want.Read = int64(len(rows))
	got := scanMessages(t, reader.ExportOptions{IgnoreTypes: []string{"reaction"}}, rows...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// judged is what becomes of a row that has everything but perhaps a status and
// a category.
func judged(m *message) (row, reject string) {
	text := func(v any) string {
		s, _ := v.(string)
		return strings.ToLower(s)
	}
	kind, category, status, times := reconcile.FreeForm, "", text(m.Status), "1|2"
	switch {
	case m.Direction == "up":
		return "", `bad_direction: direction "up"`
	case m.Direction == "inbound":
		kind, status, times = reconcile.Inbound, "", "-|-"
	case status == "odd":
		return "", `bad_status: status "odd"`
	case m.Type == "template" && m.Category == nil:
		return "", "bad_category: category is missing"
	case m.Type == "template" && (m.Category == "odd" || m.Category == "service"):
		return "", fmt.Sprintf("bad_category: category %q", m.Category)
	case m.Type == "template":
		kind, category = reconcile.Template, text(m.Category)
	case m.Type == "reaction":
		kind = reconcile.Ignored
	}
	return fmt.Sprintf("%s|a|390200000|393331234567|%d|%s|%s|0|%s|%s|", m.ID, kind, m.Type, category, status, times), ""
}
