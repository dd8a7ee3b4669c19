package demo

import "waconcile/reconcile"

// textType is what a message is made of; the numeric order is that of
// textTypes.
type textType uint8

const (
	typeTemplate textType = iota
	typeText
	typeImage
	typeDocument
	typeAudio
	typeInteractive
	typeReaction
	textTypeCount
)

func (t textType) String() string {
	return [textTypeCount]string{"template", "text", "image", "document", "audio", "interactive", "reaction"}[t]
}

// message is one row of an export, less what follows from its number.
type message struct {
	sent      int64  // ms
	number    uint64 // distinct; the message id follows from it
	contact   uint32 // place in the account's contacts
	delivered int32  // ms after sent, or noDelay
	read      int32  // ms after sent, or noDelay
	account   uint8
	business  uint8
	kind      textType
	category  reconcile.Category
	status    reconcile.Status
	inbound   bool
	referral  bool
	defect    defect
}

const noDelay int32 = -1 << 31

// defect is what makes a row unusable.
type defect uint8

const (
	sound defect = iota
	badDirection
	noCategory
	noContact
	badStatus
	badTime
	defectCount
)
