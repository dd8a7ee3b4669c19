package main

import (
	"context"

	"waconcile/reader"
	"waconcile/writer"
)

// place is the value of a flag that names a place.
func (s *settings) place(flag string) string {
	return map[string]string{
		"exports": s.exports, "rates": s.rates, "accounts": s.accounts, "markets": s.markets,
		"recharges": s.recharges, "invoices": s.invoices, "out": s.out, "cost-rates": s.costRates,
		"cost-accounts": s.costAccounts, "cost-markets": s.costMarkets, "fx": s.fx,
	}[flag]
}

// placeNames are the flags that name places, in the order in which their
// buckets are looked at.
func placeNames() []string {
	return []string{"exports", "rates", "accounts", "markets", "recharges", "cost-rates", "cost-accounts", "cost-markets", "fx", "invoices", "out"}
}

// unopenedSource is a place to read from that could not be opened: whoever
// uses it learns why.
type unopenedSource struct {
	name string
	err  error
}

func (u unopenedSource) String() string { return u.name }

func (u unopenedSource) List(context.Context, string) ([]reader.Object, error) { return nil, u.err }

func (u unopenedSource) Identify(context.Context, reader.Object) (string, error) { return "", u.err }

func (u unopenedSource) Open(context.Context, reader.Object) (reader.File, error) { return nil, u.err }

// unopenedStore is a place for results that could not be opened, likewise.
type unopenedStore struct{ err error }

func (u unopenedStore) List(context.Context, string) ([]writer.Listed, error) { return nil, u.err }

func (u unopenedStore) Create(context.Context, string) (writer.Upload, error) { return nil, u.err }

func (u unopenedStore) Put(context.Context, string, []byte, writer.Condition) error { return u.err }

func (u unopenedStore) Get(context.Context, string) ([]byte, string, error) { return nil, "", u.err }

func (u unopenedStore) Open(context.Context, string) (writer.Stored, error) { return nil, u.err }

// Probe is what a run asks first.
func (u unopenedStore) Probe(context.Context) error { return u.err }
