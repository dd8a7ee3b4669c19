package demo

import (
	"errors"
	"fmt"
)

// Period is the month that the inputs are made for.
const Period = "2024-07"

// The default options, and the bounds of Messages: below the minimum the
// stories are too few to look like anything, above the maximum message
// numbers would leave no room for what is planted.
const (
	DefaultMessages = 100_000
	DefaultSeed     = 1

	messagesMin = 1_000
	messagesMax = 1_000_000_000
)

// Options says what to make. The same Messages and Seed give the same bytes.
type Options struct {
	Dir      string // made if it is not there; its other contents are left alone
	Messages int    // distinct messages in the exports; duplicates and rejects come on top
	Seed     uint64
}

// Validate checks the options.
func (o Options) Validate() error {
	if o.Dir == "" {
		return errors.New("demo needs a directory")
	}
	if o.Messages < messagesMin || o.Messages > messagesMax {
		return fmt.Errorf("demo messages %d: must be from %d to %d", o.Messages, messagesMin, messagesMax)
	}
	return nil
}

// Made says where the inputs lie and what is in them. Paths begin with
// Options.Dir.
type Made struct {
	Dir      string
	Period   string // as the flag --period takes it
	Exports  string
	Rates    string
	Accounts string
	Invoices string // a directory; there once WriteInvoices has run
	Config   string
	Out      string // where the configuration sends results; not made here

	Messages   int64 // distinct messages
	Duplicates int64 // rows that repeat a message
	Rejects    int64 // rows that cannot be used
	Files      int   // export files
	Bytes      int64 // size of all export files

	Planted []Mistake // filled by WriteInvoices
}

// Rows is the number of rows in all export files.
func (m *Made) Rows() int64 { return m.Messages + m.Duplicates + m.Rejects }
