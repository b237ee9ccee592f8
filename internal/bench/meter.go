package main

import (
	"os"
	"sync/atomic"
	"time"
)

// meter adds up the processor time of processes that have ended, and of what
// they waited for.
type meter struct{ total atomic.Int64 }

func (m *meter) add(s *os.ProcessState) { m.total.Add(int64(s.UserTime() + s.SystemTime())) }

func (m *meter) seconds() float64 { return time.Duration(m.total.Load()).Seconds() }
