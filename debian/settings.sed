# etc/onecall.toml as the package has it: with the simulated exchange as the first trunk, until there is a real one.
0,/^# address =/s/^# (\[\[line\.spans|(name|driver|signalling|address) =)/\1/
# The phone process, which reads what strangers send, is a user of its own with a folder of its own.
s|"/run/onecall/phone\.sock"|"/run/onecall-phone/link.sock"|
