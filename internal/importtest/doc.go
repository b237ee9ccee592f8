// Package importtest holds the floors of the house: which package may import
// which, checked on every run of the tests.
//
// Imports go down, never up or sideways. A package's floor is that of the
// nearest folder that the table names, so that a new package below bot is on
// bot's floor, and a new folder beside bot fails the test until somebody has
// said where it belongs. Walls are narrower: a few imports belong to one room,
// or to none.
//
// Only what is compiled into programs is checked. Tests may reach across.
package importtest
