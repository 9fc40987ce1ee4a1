# No code changes needed!
python neurons/miner.py --netuid 42 --wallet.name my_miner
