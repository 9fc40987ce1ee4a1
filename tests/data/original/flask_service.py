from flask import Flask, request, jsonify

app = Flask(__name__)

@app.route('/generate', methods=['POST'])
def generate():
    input_data = request.json
    result = your_generate_function(input_data)
    return jsonify({"content": result})

app.run(port=8000)
