package config

import (
	"fmt"
	"path/filepath"
)

func absolutePaths(get func(c *Config) []string) func(c *Config) string {
	return func(c *Config) string {
		for _, path := range get(c) {
			if !filepath.IsAbs(path) {
				return fmt.Sprintf("holds %q, which is not an absolute path.", path)
			}
		}
		return ""
	}
}
