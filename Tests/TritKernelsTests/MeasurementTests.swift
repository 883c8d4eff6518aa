import Foundation
import Testing
import TritLab
import _TritTestSupport

@Suite("Measuring sticks", .serialized) struct MeasurementTests {
  @Test("every instruction set that runs here has a peak, and wider ones are not slower by half")
  func peaks() throws {
    let meter = PeakMeter(threads: 1)
    let peaks = meter.integerPeaks(seconds: 0.005) + meter.floatPeaks(seconds: 0.005)
    #expect(!peaks.isEmpty)
    let clock = PeakMeter.clock()
    // Slower than 0.2 GHz or faster than 20 GHz is no CPU but a broken stick.
    #expect((2e8...2e10).contains(clock))
    for peak in peaks {
      #expect(peak.operationsPerSecond > 1e8, "\(peak)")
      // No core multiplies more than 4 registers of 64 bytes a cycle.
      #expect(peak.operationsPerSecond / 2 / clock < 512, "\(peak)")
    }
  }

  @Test("reading is measured for what was asked, rounded to pages")
  func reading() {
    let meter = PeakMeter(threads: 2)
    let small = meter.read(bytes: 1, seconds: 0.002)
    #expect(small.bytes == 8192)
    #expect(small.threads == 2)
    #expect(small.bytesPerSecond > 1e7)
    #expect(meter.read(bytes: 100_000, seconds: 0.002).bytes == 106_496)
    #expect(meter.regionSeconds() > 0)
  }

  @Test("another streaming form than near is used only where it is clearly faster")
  func streaming() {
    let choose = { StreamingForm.Measurement(bytesPerSecond: $0).best }
    #expect(choose([28e9, 22e9, 16e9]) == .near)
    #expect(choose([12e9, 12.5e9, 16e9]) == .inTurn)
    #expect(choose([36e9, 42e9, 41e9]) == .far)
    #expect(choose([15e9, 16e9, 16.4e9]) == .near)
    let measured = StreamingForm.measure()
    #expect(measured.bytesPerSecond.count == StreamingForm.allCases.count)
    #expect(measured.bytesPerSecond.allSatisfy { $0 > 1e7 })
  }

  @Test("every way of prefetching gives the same products", arguments: StreamingForm.allCases)
  func formsAgree(form: StreamingForm) throws {
    let before = StreamingForm.current
    defer { StreamingForm.current = before }
    StreamingForm.current = form
    #expect(StreamingForm.current == form)
    for name in ["i2_s", "base3", "tl1", "int8"] {
      let trial = try KernelTrial(
        Registry<any LinearKernel>.standard.make(StageChoice(name)), shape: WeightShape(160, 1280))
      #expect(try trial.residual(tokens: 1).sumsAreExact != false, "\(name)")
    }
    #expect(checkOutputHead(Int8Head()).isEmpty)
    #expect(checkOutputHead(LowBitHead(bits: 6), tokens: [1]).isEmpty)
  }

  @Test(
    "the streaming form is measured once and kept in a file, and a damaged file is measured again")
  func kept() throws {
    let folder = try TemporaryFolder()
    var measured = 0
    func settle(_ memory: AutoMemory) -> StreamingForm {
      memory.streamingForm {
        measured += 1
        return .far
      }
    }
    let memory = AutoMemory()
    memory.remember(in: folder.path)
    #expect(settle(memory) == .far && settle(memory) == .far && measured == 1)
    let next = AutoMemory()
    next.remember(in: folder.path)
    #expect(settle(next) == .far && measured == 1)
    let file = try #require(try FileManager.default.contentsOfDirectory(atPath: folder.path).first)
    try "elsewhere".write(toFile: folder.path + "/" + file, atomically: true, encoding: .utf8)
    next.forget()
    #expect(settle(next) == .far && measured == 2)
  }

  @Test("a trial of a lossless kernel finds exact sums, of a float kernel none")
  func trials() throws {
    let kernels = Registry<any LinearKernel>.standard
    let trial = try KernelTrial(
      kernels.make(StageChoice("i2_s")), shape: WeightShape(96, 384), streaming: 100_000)
    #expect(trial.workingBytes > 90_000 && trial.workingBytes <= 100_000)
    #expect(try trial.residual(tokens: 5).sumsAreExact == true)
    #expect(try trial.residual(tokens: 5).relative < 1e-6)
    let speed = trial.time(tokens: 5, seconds: 0.002)
    #expect(abs(speed.operationsPerSecond * speed.seconds - Double(2 * 96 * 384 * 5)) < 1)
    let float = try KernelTrial(
      kernels.make(StageChoice("dequantize")), shape: WeightShape(96, 384))
    #expect(try float.residual(tokens: 5).sumsAreExact == nil)
    #expect(try float.residual(tokens: 5).relative < 1e-5)
  }
}
