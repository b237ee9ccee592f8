package state

import "time"

// Keep says which versions stay. Zero of both keeps all.
type Keep struct {
	Count int           // the newest of each state
	Age   time.Duration // and what is younger
}
