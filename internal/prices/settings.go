package prices

import (
	"time"

	"github.com/tidelock/tidelock/internal/redact"
)

// RefreshSettings say which price lists the server reads by itself. The zero
// value is none.
type RefreshSettings struct {
	Every time.Duration // 0 is never
	Lists []RefreshList
}

// RefreshList is a cloud whose lists are read, each currency of it apart.
type RefreshList struct {
	Query
	KeySecret string // the name of the secret that is Google's API key; "" for none
}

// KeyFunc returns the value of a secret of the server's.
type KeyFunc func(name string) (redact.Secret, error)
