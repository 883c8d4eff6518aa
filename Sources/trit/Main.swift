import TritLab

@main struct Trit {
  static func main() {
    print("trit")
  }
}
