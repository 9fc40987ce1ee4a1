python neurons/miner.py \
    --netuid 42 \
    --wallet.name my_miner \
    --wallet.hotkey default \
    --logging.info
