// Package s3test is an S3 store in memory whose network fails as it is told
// to, and a history of what happened. It is for tests only.
//
// A Store serves one bucket of any name over the S3 protocol, as much of it as
// this program speaks: objects with conditions and ranges, listings by pages,
// uploads in parts. It is honest unless it is told to lie: its conditions are
// heeded, its listings complete.
//
// A Network is the way of one client to a Store. It asks its Plan which Fault
// each call meets, and its Delay how long the call takes. Both may depend on
// who calls, what it asks for, and how often it did so before, but never on
// the order in which goroutines happened to run. So the calls of a seed meet
// the same faults each time. In a bubble of testing/synctest, where waiting
// takes no time and time passes only when all wait, they also take place in
// the same order each time.
//
// The store logs every call as an Event. What a program was told and what
// became of the store can be compared from that.
package s3test
