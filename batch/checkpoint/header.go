package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"waconcile/reconcile"
	"waconcile/writer"
)

// FormatVersion is the version of the format of checkpoints.
const FormatVersion = 1

// Header is checkpoint.json.
type Header struct {
	FormatVersion int    `json:"format_version"`
	RulesVersion  string `json:"rules_version"`
	// Day is the day at whose beginning, 00:00 UTC, the state was taken.
	Day string `json:"day"`
	// Since is the day since which no day of the data is missing.
	Since    string   `json:"since"`
	Settings Settings `json:"settings"`
	// Sent and Delivered are the accounts that occurred, by their basis.
	Sent      []string `json:"sent"`
	Delivered []string `json:"delivered"`
	// Parent is the key of the checkpoint that the run started from; null
	// where it read back.
	Parent *string `json:"parent"`
	// First and Last bound the days of Objects: those folded since the parent,
	// or since the data that was read begins, and the late days after them.
	First   string   `json:"first"`
	Last    string   `json:"last"`
	Objects []Object `json:"objects"` // by key
	// Earlier are the days before First that parents were folded from.
	Earlier []Earlier `json:"earlier"` // by day
	// Recharges is what was left of recharges; absent where none had been bought.
	Recharges *Recharges         `json:"recharges,omitempty"`
	Files     []writer.FileEntry `json:"files"` // by name
}

// Settings are the settings that a state depends on.
type Settings struct {
	Columns        map[string]string `json:"columns"`
	IgnoreTypes    []string          `json:"ignore_types"`
	LateDays       int               `json:"late_days"`
	DeliveryDays   int               `json:"delivery_days"`
	CompleteMarker string            `json:"complete_marker"`
}

// Equal tells whether the same rows come to the same state.
func (s *Settings) Equal(other *Settings) bool {
	return maps.Equal(s.Columns, other.Columns) && slices.Equal(s.IgnoreTypes, other.IgnoreTypes) &&
		s.LateDays == other.LateDays && s.DeliveryDays == other.DeliveryDays && s.CompleteMarker == other.CompleteMarker
}

// Object is an export object that a state was made from.
type Object struct {
	Key      string `json:"key"`
	Size     int64  `json:"size"`
	Identity string `json:"identity"`
}

// Earlier is a day whose objects a parent of the state was made from.
type Earlier struct {
	Day    string `json:"day"`
	SHA256 string `json:"sha256"` // HashObjects of what it had
}

// HashObjects is what a day's objects, in the order of their keys, are known
// by.
func HashObjects(objects []Object) string {
	hash := sha256.New()
	for _, o := range objects {
		fmt.Fprintf(hash, "%q %d %q\n", o.Key, o.Size, o.Identity)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// At is Day as a date; a header that was read has a valid one.
func (h *Header) At() reconcile.Date { return dateOf(h.Day) }

// Days are First, Last and Since as dates.
func (h *Header) Days() (first, last, since reconcile.Date) {
	return dateOf(h.First), dateOf(h.Last), dateOf(h.Since)
}

// Root is the first day that the state, or a parent of it, was folded from.
func (h *Header) Root() reconcile.Date {
	if len(h.Earlier) > 0 {
		return dateOf(h.Earlier[0].Day)
	}
	return dateOf(h.First)
}

// RowsOf is how many rows a table has, by one of the names below; a header
// that was read has them all.
func (h *Header) RowsOf(table string) int64 {
	for _, f := range h.Files {
		if f.Name == table+".parquet" {
			return f.Rows
		}
	}
	return 0
}

func dateOf(text string) reconcile.Date {
	d, err := reconcile.ParseDate(text)
	if err != nil {
		panic(fmt.Sprintf("checkpoint with a day that was not validated: %v", err))
	}
	return d
}

// encode gives the one form in which a header is written.
func (h *Header) encode() ([]byte, error) {
	if err := h.validate(); err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(h, "", "  ")
	return append(data, '\n'), err
}

// decode reads a header and nothing after it.
func decode(data []byte) (*Header, error) {
	var h Header
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&h); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return &h, h.validate()
}

func (h *Header) validate() error {
	if h.FormatVersion != FormatVersion {
		return fmt.Errorf("format version %d, this program knows %d", h.FormatVersion, FormatVersion)
	}
	days := []string{h.Since, h.First, h.Day, h.Last}
	for _, e := range h.Earlier {
		days = append(days, e.Day)
	}
	for _, day := range days {
		if _, err := reconcile.ParseDate(day); err != nil {
			return err
		}
	}
	switch first, last, since := h.Days(); {
	case since >= h.At() || first >= h.At() || last < h.At()-1:
		return fmt.Errorf("day %s of days %s to %s, without a gap since %s", h.Day, h.First, h.Last, h.Since)
	case len(h.Earlier) > 0 && h.Earlier[len(h.Earlier)-1].Day >= h.First:
		return fmt.Errorf("day %s both earlier and among the objects", h.First)
	case !slices.IsSortedFunc(h.Objects, func(a, b Object) int { return strings.Compare(a.Key, b.Key) }):
		return errors.New("objects out of order")
	case !slices.IsSortedFunc(h.Earlier, func(a, b Earlier) int { return strings.Compare(a.Day, b.Day) }):
		return errors.New("earlier days out of order")
	}
	if err := h.Recharges.validate(); err != nil {
		return err
	}
	return h.validateFiles()
}

func (h *Header) validateFiles() error {
	want := tables()
	if len(h.Files) != len(want) {
		return fmt.Errorf("%d files, want %d", len(h.Files), len(want))
	}
	for i, t := range want {
		if f := h.Files[i]; f.Name != t.file() || f.Rows < 0 || f.Bytes < 0 {
			return fmt.Errorf("file %s with %d rows in %d bytes, want %s", f.Name, f.Rows, f.Bytes, t.file())
		}
	}
	return nil
}

// Prefix is where all checkpoints lie.
const Prefix = "checkpoints/"

const headerName = "checkpoint.json"

// keyOf is the key of the checkpoint with a header; it ends in a slash.
func keyOf(day string, header []byte) string {
	sum := sha256.Sum256(header)
	return Prefix + day + "/" + hex.EncodeToString(sum[:]) + "/"
}
