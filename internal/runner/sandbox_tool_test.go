package runner

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// attackTool is what testdata/hostile/attack.sh calls as ./tool: what a shell
// can't do itself. 0 says that the attack succeeded.
func attackTool(args []string) int {
	if err := attack(args); err != nil {
		fmt.Println(args, err)
		return 1
	}
	return 0
}

func attack(args []string) error {
	number := func() int {
		n, _ := strconv.Atoi(args[1])
		return n
	}
	switch args[0] {
	case "ptrace":
		if err := unix.PtraceSeize(number()); err != nil {
			return err
		}
		return nil
	case "memory":
		f, err := os.Open(fmt.Sprintf("/proc/%d/mem", number()))
		if err != nil {
			return err
		}
		return f.Close()
	case "abstract":
		c, err := net.Dial("unix", "@"+args[1])
		if err != nil {
			return err
		}
		return c.Close()
	case "privileges":
		n, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
		if err == nil && n == 1 {
			err = errors.New("none are to be had")
		}
		return err
	case "dial":
		c, err := net.Dial(args[1], args[2])
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
			return err
		}
		if _, err := c.Write([]byte("hello")); err != nil {
			return err
		}
		_, err = c.Read(make([]byte, 5))
		return err
	case "allocate": // megabytes
		b := make([]byte, number()<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		return nil
	case "spin": // milliseconds of processor time
		for {
			var u unix.Rusage
			if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
				return err
			}
			if time.Duration(u.Utime.Nano()+u.Stime.Nano()) > time.Duration(number())*time.Millisecond {
				return nil
			}
		}
	}
	return fmt.Errorf("%q is no attack", args[0])
}
