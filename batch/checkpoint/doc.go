// Package checkpoint keeps the states that runs start from (contract,
// checkpoints). A checkpoint changes what a run costs, never what it makes:
// whatever is not as it should be about one is a reason not to use it.
//
// # Format
//
//	checkpoints/2024-07-15/<sha256>/      the state at 2024-07-15T00:00Z
//	    pairs.parquet                     what the rules still need of each pair
//	    conversations.parquet             conversations still open
//	    messages.parquet                  messages that count later, or may
//	    checkpoint.json                   what all of it is; written last
//
// The sha256 is that of checkpoint.json, which holds the sha256 of the other
// files: a checkpoint that can be read whole under its own name is the one
// that was written. Nothing of it ever changes. Two runs that come to the same
// state from the same data write the same checkpoint.
//
// checkpoint.json names the day; since when the data it was folded from has no
// gap; the versions and settings that the state depends on; the accounts that
// occurred, by their basis; the checkpoint that its run started from; every
// export object of the days folded since and of the late days after them; and,
// for each day before those, a hash of its objects, so that the checkpoints it
// descends from need not be there. Where recharges had been bought, it has what
// was left of each and, by account, a hash of all that this depends on beside the
// exports, and the days since the first purchase that had no data.
//
// Texts of pairs.parquet and conversations.parquet are as in the exports after
// normalising; instants are milliseconds UTC. For each category pairs.parquet
// has when its last conversation opened, since when no message that bears on
// its chain has been seen, and whether the chain is proven. The roles in
// messages.parquet are those of reconcile.MessageRole.
//
// # What a crash leaves
//
// Files below a checkpoint without checkpoint.json, which is then no
// checkpoint. The next run that comes to the same state writes them again; gc
// removes them.
package checkpoint
