package policyset

import (
	"maps"
	"strings"

	"github.com/tidelock/tidelock/internal/policy"
)

// ScannersKey begins the keys of levels that speak of what scanners find:
// "scanners.trivy.AVD-AWS-0086" of one of its rules, "scanners.trivy" of all
// that it finds, "scanners" of what any does.
const ScannersKey = "scanners"

// ofScanners reports whether a key of levels speaks of scanners.
func ofScanners(key string) bool {
	return key == ScannersKey || strings.HasPrefix(key, ScannersKey+".")
}

// scanLevels returns what is said of scanners, the strongest word for each key.
func (c chain) scanLevels() map[string]policy.Level {
	out := map[string]policy.Level{}
	maps.Copy(out, c.base.Overrides.Levels)
	for _, s := range c.scopes {
		maps.Copy(out, s.Levels)
	}
	maps.DeleteFunc(out, func(key string, _ policy.Level) bool { return !ofScanners(key) })
	return out
}

// ScanLevel returns the level that the server wants what a scanner found to
// have at least, by the finding's rule ("trivy.AVD-AWS-0086"); Off where it says
// nothing. The longest key that speaks of the rule counts.
func (j Judging) ScanLevel(rule string) policy.Level {
	least := policy.Off
	for _, levels := range j.scanners {
		for key := ScannersKey + "." + rule; ; {
			if l, ok := levels[key]; ok {
				if l.Stricter(least) {
					least = l
				}
				break
			}
			at := strings.LastIndexByte(key, '.')
			if at < 0 {
				break
			}
			key = key[:at]
		}
	}
	return least
}
