package config

import (
	"time"
)

// State bounds what clients keep in the state service.
type State struct {
	MaxSize      int // MiB of one state
	MaxStates    int // of a client; 0 for no bound
	MaxTotal     int // MiB of a client with all versions, as they are stored; 0 for no bound
	KeepVersions int // of each state; 0 for all
	KeepAge      time.Duration
}

var defaultState = State{MaxSize: 256, KeepVersions: 100, KeepAge: 90 * 24 * time.Hour}
