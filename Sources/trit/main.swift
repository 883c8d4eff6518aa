import TritCommand

TritCommand.main()
