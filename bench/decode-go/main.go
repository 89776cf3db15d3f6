// The Go peer of bench/decode.ts: cilium/ebpf's perf reader on a ring that the bench fills. The map's descriptor is 3; each line on
// stdin, a number of events, is answered with the CPU time of this thread per event, ns.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"runtime"
	"strconv"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/perf"
	"golang.org/x/sys/unix"
)

// What Weir's decoder takes of a drop (bench/decode.c has the same struct).
type drop struct {
	ts, cookie, cgroup, location                              uint64
	netns, ifindex                                            uint32
	saddr, daddr                                              [16]byte
	ports, tags, reason, len, details, count, stack, iif, seq uint32
	cpu                                                       uint16
}

const rows = 8192

var table [rows]drop

func take(d *drop, raw []byte, cpu int) {
	u32 := func(word int) uint32 { return binary.LittleEndian.Uint32(raw[word*4:]) }
	u64 := func(word int) uint64 { return binary.LittleEndian.Uint64(raw[word*4:]) }
	d.ts, d.cookie, d.cgroup, d.netns, d.ifindex = u64(0), u64(2), u64(4), u32(6), u32(7)
	copy(d.saddr[:], raw[32:48])
	copy(d.daddr[:], raw[48:64])
	d.ports, d.tags, d.location = u32(16), u32(17), u64(20)
	d.reason, d.len, d.details, d.count = u32(22), u32(23), u32(24), u32(25)
	d.stack, d.iif, d.seq, d.cpu = u32(26), u32(27), u32(28), uint16(cpu)
}

func threadNs() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		log.Fatal(err)
	}
	return t.Nano()
}

func main() {
	pages, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	runtime.LockOSThread()
	events, err := ebpf.NewMapFromFD(3)
	if err != nil {
		log.Fatal(err)
	}
	bytes := pages * os.Getpagesize()
	reader, err := perf.NewReaderWithOptions(events, bytes, perf.ReaderOptions{Watermark: bytes / 4})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("ready")
	var record perf.Record
	asked := bufio.NewScanner(os.Stdin)
	for asked.Scan() {
		n, err := strconv.Atoi(asked.Text())
		if err != nil {
			log.Fatal(err)
		}
		from := threadNs()
		for i := 0; i < n; i++ {
			if err := reader.ReadInto(&record); err != nil {
				log.Fatal(err)
			}
			if record.LostSamples > 0 {
				log.Fatalf("%d samples lost", record.LostSamples)
			}
			take(&table[i%rows], record.RawSample, record.CPU)
		}
		fmt.Println(float64(threadNs()-from) / float64(n))
	}
}
