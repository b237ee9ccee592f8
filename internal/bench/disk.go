package main

import (
	"os"
	"path/filepath"
	"time"
)

// bareSync appends to a file and syncs it at the rate of the flood for some
// seconds, and returns what each took, in milliseconds. No receiver that
// answers after the commit can be faster: it tells a slow disk, or a machine
// that is busy with others, from a slow server.
func bareSync(dir string) ([]float64, error) {
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const seconds = 3
	page := make([]byte, 16<<10)
	var took []float64
	start := time.Now()
	for i := range deliveryRate * seconds {
		time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / deliveryRate)))
		began := time.Now()
		if _, err := f.Write(page); err != nil {
			return nil, err
		}
		if err := f.Sync(); err != nil {
			return nil, err
		}
		took = append(took, float64(time.Since(began).Microseconds())/1000)
	}
	return took, nil
}
